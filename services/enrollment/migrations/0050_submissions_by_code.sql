-- Where a submission stands, by code, as registration has it; the text goes when each row has its code.
ALTER TABLE submissions ADD COLUMN state_code integer NOT NULL DEFAULT 0;
