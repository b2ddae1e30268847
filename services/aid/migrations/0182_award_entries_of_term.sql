-- A region is counted by term.
CREATE INDEX award_entries_of_term ON award_entries (term, school, state);
