-- What other capabilities may join with: levels that were determined, of whom, from when until when.
CREATE VIEW determined_levels AS
    SELECT determination, person_key, name_comparable, level, from_day, to_day, recorded_day, determined_at_us FROM hardship_levels WHERE state = 11;
