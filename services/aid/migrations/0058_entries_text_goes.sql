ALTER TABLE award_entries DROP COLUMN state;
