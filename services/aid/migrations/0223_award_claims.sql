-- What other capabilities may join with: entries that stand, and of which corrections left something.
CREATE VIEW award_claims AS
    SELECT entry, list, school, scheme, term, policy, person_key, name_comparable, first_day, last_day, month_fen, state FROM award_entries
    WHERE state < 50 AND NOT gone;
