-- Whoever looks for entries of a number looks for those that stand: the index answers who is listed twice by itself.
DROP INDEX award_entries_by_key;
CREATE INDEX award_entries_standing ON award_entries (person_key, scheme, term) WHERE state <> 'REMOVED';
