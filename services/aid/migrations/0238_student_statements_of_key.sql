-- What somebody said, for whoever is judged.
CREATE INDEX student_statements_of_key ON student_statements (person_key);
