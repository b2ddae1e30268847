-- Who is shown: what the rules let a notice say of a student, and nothing else. Gone: sent back or refused since.
CREATE TABLE notice_entries (
    notice uuid NOT NULL REFERENCES notices,
    entry uuid NOT NULL,
    name text NOT NULL,
    class_name text NOT NULL,
    -- from 1; 0 where it is not known
    grade integer NOT NULL,
    major_name text NOT NULL,
    gone boolean NOT NULL,
    PRIMARY KEY (notice, entry)
);
