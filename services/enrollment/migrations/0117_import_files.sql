-- Files, and what a preview said of each row, apart from their receipts, which are looked at without them.
CREATE TABLE import_files (
    import uuid PRIMARY KEY REFERENCES imports,
    at_us bigint NOT NULL,
    file_sealed bytea NOT NULL,
    plan_sealed bytea
);
