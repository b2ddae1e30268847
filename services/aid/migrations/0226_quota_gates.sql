-- Who approves under a limit locks its gate: two at once take turns.
CREATE TABLE quota_gates (
    scheme text NOT NULL,
    term text NOT NULL,
    -- a school's code, or the first digits of a region
    place text NOT NULL,
    PRIMARY KEY (scheme, term, place)
);
