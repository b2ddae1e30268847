-- States of entries by code, as award has them; the text goes when each row has its code.
ALTER TABLE award_entries ADD COLUMN state_code integer NOT NULL DEFAULT 0;
