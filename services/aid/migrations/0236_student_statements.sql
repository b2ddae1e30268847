-- What students signed of a scheme and term: that they ask for it, or do not want it. Which of several holds is its state.
CREATE TABLE student_statements (
    statement uuid PRIMARY KEY,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    person_key uuid NOT NULL,
    name text NOT NULL,
    name_comparable text NOT NULL,
    kind integer NOT NULL,
    signer integer NOT NULL,
    signed_day date NOT NULL,
    state integer NOT NULL,
    reason text NOT NULL DEFAULT '',
    ended_day date,
    ended_by text NOT NULL DEFAULT '',
    ended_by_name text NOT NULL DEFAULT '',
    recorded_day date NOT NULL,
    recorded_at_us bigint NOT NULL,
    recorded_by text NOT NULL,
    recorded_by_name text NOT NULL
);
