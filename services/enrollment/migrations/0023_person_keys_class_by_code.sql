-- Classes of numbers by code, as crates/domain has them.
ALTER TABLE person_keys ADD COLUMN class_code integer NOT NULL DEFAULT 0;
