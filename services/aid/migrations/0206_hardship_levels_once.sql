-- At a school one is under way for a student and school year at a time.
CREATE UNIQUE INDEX hardship_levels_once ON hardship_levels (school, person_key, school_year) WHERE state <= 10;
