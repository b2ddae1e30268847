-- What is in a dossier, as it was submitted: the sheet that was signed. It holds no digit of a number.
CREATE TABLE dossier_items (
    dossier uuid NOT NULL REFERENCES dossiers,
    ordinal integer NOT NULL,
    item uuid NOT NULL,
    content_hash bytea NOT NULL,
    name text NOT NULL,
    line text NOT NULL,
    state integer NOT NULL,
    -- why it could not be performed
    refusal text NOT NULL,
    -- why it left
    reason text NOT NULL,
    -- the act by which it was performed or left
    act integer NOT NULL,
    PRIMARY KEY (dossier, ordinal),
    UNIQUE (item, dossier)
);
