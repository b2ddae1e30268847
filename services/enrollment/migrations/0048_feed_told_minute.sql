-- The minute and the civil day in which the last position was given: what was told by their end is noted when the next begins.
ALTER TABLE feed_sequencer ADD COLUMN told_minute bigint;
