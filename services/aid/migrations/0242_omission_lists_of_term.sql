-- The lists of a term, for departments and for the school.
CREATE INDEX omission_lists_of_term ON omission_lists (term, school);
