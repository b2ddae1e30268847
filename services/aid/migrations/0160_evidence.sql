-- Files that prove something: what lies sealed in the vault, with what it belongs to. A line stays when its file is gone.
CREATE TABLE evidence (
    evidence uuid PRIMARY KEY,
    -- kind of what it lies with, such as a dossier
    about integer NOT NULL,
    subject uuid NOT NULL,
    -- under what it lies in the vault
    address bytea NOT NULL,
    -- keyed hash of its content: what signatures cover
    content_hash bytea NOT NULL,
    kind integer NOT NULL,
    bytes bigint NOT NULL,
    -- its own name, sealed; none once the file is gone
    name_sealed bytea,
    state integer NOT NULL,
    -- how far what it lies with had come when it was added: what was decided since covers it
    mark integer NOT NULL,
    added_by text NOT NULL,
    added_by_name text NOT NULL,
    added_role text NOT NULL,
    added_day date NOT NULL,
    added_at_us bigint NOT NULL,
    left_by_name text NOT NULL,
    left_day date,
    left_reason text NOT NULL
);
