-- A keyed hash of the card: who names the same one.
ALTER TABLE award_entries ADD COLUMN card_key uuid;
