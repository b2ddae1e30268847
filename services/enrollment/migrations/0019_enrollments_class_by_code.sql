-- Classes of numbers by code, as crates/domain has them.
ALTER TABLE enrollments ADD COLUMN class_code integer NOT NULL DEFAULT 0;
