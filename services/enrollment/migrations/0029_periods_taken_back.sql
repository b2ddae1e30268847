-- What was taken back before: it was known at no version that is still told.
INSERT INTO periods (enrollment, period, from_date, state, class_name, major, study_form, household, residence, reason, recorded_day, recorded_by,
    recorded_at_us, version, until_version, until_by, until_reason, until_day)
SELECT c.enrollment, 1000 + row_number() OVER (PARTITION BY c.enrollment ORDER BY c.cancelled_at_us, c.id), c.from_date,
    CASE c.state WHEN 1 THEN 11 WHEN 2 THEN 12 ELSE 51 END, e.class_name, e.major, e.study_form, e.household, e.residence, c.reason, c.recorded_day,
    c.recorded_by, c.cancelled_at_us, 0, 0, c.cancelled_by, c.cancel_reason, c.cancelled_day
FROM cancelled_changes c JOIN enrollments e ON e.enrollment = c.enrollment;
