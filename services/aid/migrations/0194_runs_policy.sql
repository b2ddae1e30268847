-- The policy whose effect a run finds out; none of a run that judges.
ALTER TABLE runs ADD COLUMN policy uuid;
