ALTER TABLE submissions RENAME COLUMN state_code TO state;
