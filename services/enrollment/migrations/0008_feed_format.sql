-- The format in which all records were shared last.
ALTER TABLE feed_sequencer ADD COLUMN format integer NOT NULL DEFAULT 1;
