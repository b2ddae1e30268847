-- Whose class a class is, from a civil day on; what ended stays.
CREATE TABLE class_teachers (
    teaching uuid PRIMARY KEY,
    school text NOT NULL REFERENCES schools,
    class_name text NOT NULL,
    account text NOT NULL,
    from_day date NOT NULL,
    -- first day on which it is not theirs any more; none while it goes on
    to_day date,
    set_by text NOT NULL,
    set_by_name text NOT NULL,
    set_at_us bigint NOT NULL
);
