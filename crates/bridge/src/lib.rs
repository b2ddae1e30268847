//! The change feed, both ends: log, sequencer, server, follower.
