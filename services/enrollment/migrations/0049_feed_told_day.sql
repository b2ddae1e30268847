ALTER TABLE feed_sequencer ADD COLUMN told_day date;
