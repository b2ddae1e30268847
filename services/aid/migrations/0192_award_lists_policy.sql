-- Version of the policy under which a list was opened: it binds the list for good.
ALTER TABLE award_lists ADD COLUMN policy integer NOT NULL DEFAULT 1;
