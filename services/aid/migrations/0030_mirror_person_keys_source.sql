-- Which source said it. A generation is of one source, so a key that holds the generation holds the source.
ALTER TABLE mirror_person_keys ADD COLUMN source smallint NOT NULL DEFAULT 1;
