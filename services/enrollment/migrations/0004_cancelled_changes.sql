-- Changes of status that were recorded ahead and taken back before their day: the dated story no longer holds them.
CREATE TABLE cancelled_changes (
    id uuid PRIMARY KEY,
    enrollment uuid NOT NULL REFERENCES enrollments,
    from_date date NOT NULL,
    state integer NOT NULL,
    reason text NOT NULL,
    recorded_day date NOT NULL,
    recorded_by text NOT NULL,
    cancel_reason text NOT NULL,
    cancelled_day date NOT NULL,
    cancelled_by text NOT NULL,
    cancelled_at_us bigint NOT NULL
);
CREATE INDEX cancelled_changes_by_enrollment ON cancelled_changes (enrollment);
