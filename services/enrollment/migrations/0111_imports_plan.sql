-- What a preview said of each row, sealed: only that is written from it.
ALTER TABLE imports ADD COLUMN plan_sealed bytea;
