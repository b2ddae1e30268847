-- What kind of file an import was of: an award list.
ALTER TABLE imports ADD COLUMN kind integer NOT NULL DEFAULT 2;
