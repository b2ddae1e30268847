-- What acts wrote of records that are bound: marks of what each said before and after, under the service's key. The line of the audit carries the hash.
ALTER TABLE audit ADD COLUMN written text NOT NULL DEFAULT '';
CREATE TABLE row_writes (
    -- the line
    line uuid NOT NULL,
    ordinal integer NOT NULL,
    -- kind of record: as its service numbers them
    kind integer NOT NULL,
    records bytea NOT NULL,
    PRIMARY KEY (line, ordinal)
);
