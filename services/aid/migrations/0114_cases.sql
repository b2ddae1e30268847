-- The register of what was confirmed (查实台账): a case a flag, which nothing that closes by itself takes out. Its id is the flag's.
CREATE TABLE cases (
    flag uuid PRIMARY KEY,
    -- a code of case::Rule
    rule integer NOT NULL,
    entry uuid,
    list uuid,
    person uuid,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    name text NOT NULL,
    name_comparable text NOT NULL,
    -- a code of register::rules::State
    state integer NOT NULL,
    steps integer NOT NULL,
    -- as confirmed last; of a confirmation of before that other evidence followed, none
    months text NOT NULL,
    amount_fen bigint,
    evidence text NOT NULL,
    confirmed_at_us bigint NOT NULL,
    confirmed_day date NOT NULL,
    confirmed_by text NOT NULL,
    confirmed_by_name text NOT NULL,
    reason text NOT NULL,
    -- a code of register::rules::Outcome, 0 while none is recorded
    outcome integer NOT NULL,
    outcome_fen bigint NOT NULL,
    outcome_text text NOT NULL,
    responsible text NOT NULL,
    outcome_day date,
    outcome_by_name text NOT NULL
);
