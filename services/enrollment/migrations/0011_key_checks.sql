-- By what the keys of this database are known again: a keyed hash of a fixed text for each.
CREATE TABLE key_checks (
    kind text NOT NULL,
    key_id text NOT NULL,
    key_check bytea NOT NULL,
    PRIMARY KEY (kind, key_id)
);
