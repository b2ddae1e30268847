-- Which version of a record was told at which position, by which change: kept for ever, where the log itself is forgotten.
CREATE TABLE known_versions (
    kind integer NOT NULL,
    record uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    change uuid NOT NULL,
    PRIMARY KEY (kind, record, version)
);
