-- Classes of a school: of one year of entry and one major each. Names come again with the years.
CREATE TABLE classes (
    class uuid PRIMARY KEY,
    school text NOT NULL REFERENCES schools,
    name text NOT NULL,
    entry_year integer NOT NULL,
    -- catalogue and code, such as 2010-010100
    major text NOT NULL,
    -- the first day on which anybody is in it
    from_date date NOT NULL,
    -- the first day on which nobody is any more; none while somebody is
    to_date date,
    UNIQUE (school, name, entry_year, major)
);
