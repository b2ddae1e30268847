-- Lists of a school, scheme and term that are locked were opened again, until which day and why.
CREATE TABLE award_reopenings (
    reopening uuid PRIMARY KEY,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    -- last day on which they are open
    until_day date NOT NULL,
    reason text NOT NULL,
    opened_by text NOT NULL,
    opened_by_name text NOT NULL,
    opened_at_us bigint NOT NULL
);
