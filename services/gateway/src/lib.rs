//! REST and pages over gRPC; owns no data.
