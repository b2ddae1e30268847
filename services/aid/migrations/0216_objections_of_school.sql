-- A school's, and a department's, the last first.
CREATE INDEX objections_of_school ON objections (school, objection);
