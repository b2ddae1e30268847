-- The format that the source answered in when the present generation was loaded.
ALTER TABLE mirror_state ADD COLUMN format integer NOT NULL DEFAULT 1;
