ALTER TABLE award_lists DROP COLUMN state;
