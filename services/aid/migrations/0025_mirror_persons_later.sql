-- What the record says in fields that came with later formats: 32 hexadecimal digits for each format with fields of its own, in their
-- order, up to the format that it was told in; the digest beside it covers the fields before them.
ALTER TABLE mirror_persons ADD COLUMN later text NOT NULL DEFAULT '';
