-- Where an import stands. Those of before are done.
ALTER TABLE imports ADD COLUMN state integer NOT NULL DEFAULT 20;
