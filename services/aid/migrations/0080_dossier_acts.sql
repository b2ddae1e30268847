-- What was done with a dossier: kept for ever.
CREATE TABLE dossier_acts (
    dossier uuid NOT NULL REFERENCES dossiers,
    ordinal integer NOT NULL,
    step integer NOT NULL,
    act integer NOT NULL,
    account text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    -- none where a database of before did not keep it
    day date,
    at_us bigint NOT NULL,
    reason text NOT NULL,
    -- what it covers
    digest text NOT NULL,
    items integer NOT NULL,
    performed integer NOT NULL,
    PRIMARY KEY (dossier, ordinal)
);
