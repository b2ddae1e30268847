-- Whom to call; empty where nobody said.
ALTER TABLE schools ADD COLUMN telephone text NOT NULL DEFAULT '';
