-- The trace of the request (32 hexadecimal digits); empty where there was none.
ALTER TABLE audit ADD COLUMN trace text NOT NULL DEFAULT '';
