-- What other capabilities may join with: what students said and did not take back.
CREATE VIEW standing_statements AS
    SELECT statement, school, scheme, term, person_key, name_comparable, kind, recorded_day, recorded_at_us FROM student_statements WHERE state < 50;
