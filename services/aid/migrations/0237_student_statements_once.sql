-- Of one student, scheme and term at a school one statement stands. A number that was mistyped may become another's: the name is part of it.
CREATE UNIQUE INDEX student_statements_once ON student_statements (school, scheme, term, person_key, name_comparable) WHERE state < 50;
