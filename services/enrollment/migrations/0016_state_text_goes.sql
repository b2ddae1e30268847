ALTER TABLE enrollments DROP COLUMN state;
