-- What it found, once it is done.
ALTER TABLE runs ADD COLUMN effect text NOT NULL DEFAULT '';
