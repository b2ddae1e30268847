-- What waits for a position gets one of the next ones.
UPDATE feed_sequencer SET known_since = next_position - 1 + (SELECT count(*) FROM change_log WHERE position IS NULL);
