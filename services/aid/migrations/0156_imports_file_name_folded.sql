-- The same in small letters, by which it is found.
ALTER TABLE imports ADD COLUMN file_name_folded text NOT NULL DEFAULT '';
