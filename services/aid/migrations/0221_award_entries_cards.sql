-- Who of those who stand on lists names the same card.
CREATE INDEX award_entries_cards ON award_entries (card_key, person_key) WHERE card_key IS NOT NULL AND state < 50;
