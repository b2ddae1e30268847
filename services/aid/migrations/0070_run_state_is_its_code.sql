ALTER TABLE runs RENAME COLUMN state_code TO state;
