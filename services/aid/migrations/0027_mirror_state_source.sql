-- Which source the mirror stands at: 1 is the enrollment service that is configured. Each has a generation of its own.
ALTER TABLE mirror_state ADD COLUMN source smallint NOT NULL DEFAULT 1;
