-- The same of its entries, which are judged without their list.
ALTER TABLE award_entries ADD COLUMN policy integer NOT NULL DEFAULT 1;
