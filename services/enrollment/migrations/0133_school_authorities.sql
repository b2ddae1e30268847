-- Which department approves for a school from which civil day on. What stands in schools is that of today: a change that lies ahead is
-- turned on its day.
CREATE TABLE school_authorities (
    school text NOT NULL REFERENCES schools,
    from_day date NOT NULL,
    authority text NOT NULL,
    -- the one before, as it was when the change was recorded
    authority_before text NOT NULL,
    reason text NOT NULL,
    turned boolean NOT NULL,
    recorded_by text NOT NULL,
    recorded_by_name text NOT NULL,
    recorded_at_us bigint NOT NULL,
    PRIMARY KEY (school, from_day)
);
