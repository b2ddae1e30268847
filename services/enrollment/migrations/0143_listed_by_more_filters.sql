-- All that a list of a school is narrowed to and sorted by, so that a page and its count read the index alone.
CREATE INDEX enrollments_listed ON enrollments (school, class_name, name, enrollment, state, state_since, name_comparable, school_number, submission, major, entry_month);
