-- What other capabilities may join with: units of entries that were approved and stand, with what each comes to.
CREATE VIEW approved_units AS
    SELECT e.entry, e.list, e.school, e.scheme, e.term, u.first_month, u.fen FROM award_entries e JOIN award_units u ON u.entry = e.entry
    WHERE e.state < 50 AND NOT e.gone AND u.standing >= 11 AND u.standing < 20;
