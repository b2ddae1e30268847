-- What an import did to whose record, for a set time, so that it can be taken back.
CREATE TABLE import_effects (
    import uuid NOT NULL REFERENCES imports,
    item uuid NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    content_hash bytea NOT NULL,
    -- what stood there before, where the record is not new
    before_sealed bytea,
    PRIMARY KEY (import, item)
);
