-- One is under way for a student at a time.
CREATE UNIQUE INDEX hardship_levels_once ON hardship_levels (person_key) WHERE state <= 10;
