-- What goes from desk to desk: a dossier of one kind of business and one school, with where it waits.
CREATE TABLE dossiers (
    dossier uuid PRIMARY KEY,
    kind integer NOT NULL,
    school text NOT NULL,
    -- region code of the school's department when it was submitted
    authority text NOT NULL,
    -- what all of its items belong to, such as a list
    subject uuid,
    title text NOT NULL,
    state integer NOT NULL,
    -- at which step it waits, or waited last
    step integer NOT NULL,
    -- whose turn it is; empty where it waits nowhere
    waits_at text NOT NULL,
    -- the level above that
    above text NOT NULL,
    since_day date NOT NULL,
    working_days integer NOT NULL,
    -- how often a desk has signed
    signatures integer NOT NULL,
    -- who has it, where somebody took it or was handed it
    holder text NOT NULL,
    holder_name text NOT NULL,
    nudged_day date,
    nudges integer NOT NULL,
    -- covers the items that are in it
    digest text NOT NULL,
    waiting integer NOT NULL,
    performed integer NOT NULL,
    left_count integer NOT NULL,
    submitted_by text NOT NULL,
    submitted_by_name text NOT NULL,
    submitted_day date NOT NULL,
    submitted_at_us bigint NOT NULL,
    ended_day date,
    -- lines of its history
    acts integer NOT NULL
);
