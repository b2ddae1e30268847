-- What other capabilities may join with: units of entries that were approved and stand, with what each comes to. One that a school asked to stop is not paid
-- while that is decided. The clerk's entries (up to 10) have none, whatever their units say.
CREATE VIEW approved_units AS
    SELECT e.entry, e.list, e.school, e.scheme, e.term, e.person_key, u.first_month, u.unit = 1 AS by_month, u.fen, u.standing = 11 AS paid
    FROM award_entries e JOIN award_units u ON u.entry = e.entry
    WHERE e.state > 10 AND e.state < 50 AND NOT e.gone AND u.standing >= 11 AND u.standing < 20;
