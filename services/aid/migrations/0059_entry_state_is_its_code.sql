ALTER TABLE award_entries RENAME COLUMN state_code TO state;
