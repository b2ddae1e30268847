-- The file's own name, as it was sent.
ALTER TABLE imports ADD COLUMN file_name text NOT NULL DEFAULT '';
