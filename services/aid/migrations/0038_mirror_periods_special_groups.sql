-- Groups that aid knows, joined by blanks.
ALTER TABLE mirror_periods ADD COLUMN special_groups text NOT NULL DEFAULT '';
