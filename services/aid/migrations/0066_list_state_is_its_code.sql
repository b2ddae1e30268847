ALTER TABLE award_lists RENAME COLUMN state_code TO state;
