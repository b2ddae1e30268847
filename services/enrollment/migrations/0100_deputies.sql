-- Who stands in for the principal of a school, from one civil day to another, both included.
CREATE TABLE deputies (
    deputy uuid PRIMARY KEY,
    school text NOT NULL REFERENCES schools,
    account text NOT NULL,
    from_day date NOT NULL,
    to_day date NOT NULL,
    reason text NOT NULL,
    named_by text NOT NULL,
    named_by_name text NOT NULL,
    named_at_us bigint NOT NULL,
    -- when it was ended before its last day
    ended_day date
);
