-- Which source vouches. A generation is of one source, so a key that holds the generation holds the source.
ALTER TABLE vouches ADD COLUMN source smallint NOT NULL DEFAULT 1;
