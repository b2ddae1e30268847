-- States by code, as crates/domain has them; the text goes when each row has its code.
ALTER TABLE enrollments ADD COLUMN state_code integer NOT NULL DEFAULT 0;
