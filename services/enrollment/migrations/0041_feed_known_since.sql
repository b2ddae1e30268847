-- The first position at which it is known what was known then: before it, nobody kept it.
ALTER TABLE feed_sequencer ADD COLUMN known_since bigint NOT NULL DEFAULT 0;
