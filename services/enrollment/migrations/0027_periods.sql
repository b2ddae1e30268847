-- What is dated of an enrollment, in two clocks: the civil days from which and to which it holds, and the versions of the shared
-- record between which it was known. What is replaced by a late record or taken back is closed, not deleted.
CREATE TABLE periods (
    enrollment uuid NOT NULL REFERENCES enrollments,
    -- rises within the enrollment, and is never given twice
    period integer NOT NULL,
    from_date date NOT NULL,
    to_date date,
    -- a code of enrollment::State
    state integer NOT NULL,
    class_name text NOT NULL,
    major text NOT NULL,
    study_form text NOT NULL,
    household text NOT NULL,
    residence text NOT NULL,
    reason text NOT NULL,
    recorded_day date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at_us bigint NOT NULL,
    -- the first version of the shared record that says it
    version bigint NOT NULL,
    -- the first that does not any more; none while it stands
    until_version bigint,
    -- who took it back, where somebody did
    until_by text NOT NULL DEFAULT '',
    until_reason text NOT NULL DEFAULT '',
    until_day date,
    PRIMARY KEY (enrollment, period)
);
