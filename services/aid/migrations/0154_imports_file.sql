ALTER TABLE imports ADD COLUMN file_sealed bytea;
