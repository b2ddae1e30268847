-- Groups that aid knows, joined by blanks; filled from the kept columns at the first start.
ALTER TABLE enrollments ADD COLUMN special_groups text NOT NULL DEFAULT '';
