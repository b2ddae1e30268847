-- The position above which the present history begins: one that goes on after a loss begins above all that were ever given.
ALTER TABLE feed_sequencer ADD COLUMN base_position bigint NOT NULL DEFAULT 0;
