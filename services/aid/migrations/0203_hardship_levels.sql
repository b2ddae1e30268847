-- 困难等级 that a school enters for a student in a school year, with what is known of the family. What was submitted never changes: another follows it.
CREATE TABLE hardship_levels (
    determination uuid PRIMARY KEY,
    -- none before it is submitted
    dossier uuid,
    school text NOT NULL,
    -- the year in which the school year begins
    school_year integer NOT NULL,
    person_key uuid NOT NULL,
    name text NOT NULL,
    name_comparable text NOT NULL,
    class_name text NOT NULL,
    -- name of the level; empty where there is none any more
    level text NOT NULL,
    from_day date NOT NULL,
    -- first day on which it holds no more
    to_day date NOT NULL,
    -- what is known of the family, and why; sealed
    circumstances_sealed bytea NOT NULL,
    -- a code: 1 with the clerk, 2 on its way over desks, 11 determined, 51 taken off or refused
    state integer NOT NULL,
    -- why it was sent back or refused; empty where it was not
    reason text NOT NULL,
    recorded_day date NOT NULL,
    recorded_at_us bigint NOT NULL,
    -- 0 until it was determined
    determined_at_us bigint NOT NULL
);
