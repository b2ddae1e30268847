ALTER TABLE enrollments RENAME COLUMN state_code TO state;
