-- Every period of before had what the enrollment has now; since when that was known, nobody kept.
INSERT INTO periods (enrollment, period, from_date, to_date, state, class_name, major, study_form, household, residence, reason, recorded_day, recorded_by,
    recorded_at_us, version)
SELECT p.enrollment, p.ordinal + 1, p.from_date, p.to_date, CASE p.state WHEN 1 THEN 11 WHEN 2 THEN 12 ELSE 51 END, e.class_name, e.major, e.study_form,
    e.household, e.residence, p.reason, p.recorded_day, p.recorded_by, p.recorded_at_us,
    coalesce((SELECT s.version FROM shared_records s WHERE s.kind = 12 AND s.record = p.enrollment), 1)
FROM enrollment_periods p JOIN enrollments e ON e.enrollment = p.enrollment;
