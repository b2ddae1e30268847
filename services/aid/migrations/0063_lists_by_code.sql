-- A list stands where its entries do, and says it by the same codes.
ALTER TABLE award_lists ADD COLUMN state_code integer NOT NULL DEFAULT 0;
