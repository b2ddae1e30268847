-- What a dossier proposes that columns of an approved student say which carry money: lines of header and value, sealed.
CREATE TABLE aid_fact_proposals (
    dossier uuid PRIMARY KEY,
    enrollment uuid NOT NULL REFERENCES enrollments,
    -- first day on which it holds
    from_date date NOT NULL,
    columns_sealed bytea NOT NULL
);
