-- A code: 0 none, 1 a card, 2 a number that is none.
ALTER TABLE award_entries ADD COLUMN card_kind integer NOT NULL DEFAULT 0;
