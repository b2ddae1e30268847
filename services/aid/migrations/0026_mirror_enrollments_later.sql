-- What the record says in fields that came with later formats: 32 hexadecimal digits for each format with fields of its own, in their
-- order, up to the format that it was told in; the digest and the story beside it cover the fields before them.
ALTER TABLE mirror_enrollments ADD COLUMN later text NOT NULL DEFAULT '';
