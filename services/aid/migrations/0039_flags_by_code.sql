-- Flags with their rule and state by code, as reconciliation has them. A table of its own: SQLite drops no column that is unique.
CREATE TABLE flags_coded (
    flag uuid PRIMARY KEY,
    -- a code of case::Rule
    rule integer NOT NULL,
    -- the entry, or what an omission hangs on
    subject uuid NOT NULL,
    person_subject uuid NOT NULL,
    entry uuid REFERENCES award_entries,
    list uuid,
    person uuid,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    name text NOT NULL,
    months text NOT NULL,
    amount_fen bigint NOT NULL,
    evidence text NOT NULL,
    evidence_digest bytea NOT NULL,
    -- how the digest of the evidence was made; 1 covered all of the evidence, later ones only what the rule decided on
    evidence_version integer NOT NULL,
    cause uuid NOT NULL,
    cause_text text NOT NULL,
    -- a code of life::State
    state integer NOT NULL,
    holds boolean NOT NULL,
    judged_position bigint NOT NULL,
    judged_at_us bigint NOT NULL,
    opened_at_us bigint NOT NULL,
    steps integer NOT NULL,
    UNIQUE (rule, subject)
);
