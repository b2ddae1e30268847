-- What kind of file an import was of: students.
ALTER TABLE imports ADD COLUMN kind integer NOT NULL DEFAULT 1;
