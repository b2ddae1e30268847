-- Who sent it, by name.
ALTER TABLE imports ADD COLUMN account_name text NOT NULL DEFAULT '';
