-- Whose the card is, as the list says; empty where it does not.
ALTER TABLE award_entries ADD COLUMN card_holder text NOT NULL DEFAULT '';
