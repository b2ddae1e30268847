-- What columns of approved students said before they were changed, and since: lines of header and value, sealed.
CREATE TABLE column_changes (
    change uuid PRIMARY KEY,
    enrollment uuid NOT NULL REFERENCES enrollments,
    -- a code: what the school keeps itself, or what carries money
    kind integer NOT NULL,
    -- first day on which it holds
    from_date date NOT NULL,
    before_sealed bytea NOT NULL,
    after_sealed bytea NOT NULL,
    reason text NOT NULL,
    recorded_day date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at_us bigint NOT NULL
);
