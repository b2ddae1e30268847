-- Removed ones come last: State::FIRST_REMOVED of award.
CREATE UNIQUE INDEX award_entries_once ON award_entries (list, person_key) WHERE state < 50;
