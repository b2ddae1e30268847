-- The civil day on which the claim was submitted; none where it was not told.
ALTER TABLE mirror_enrollments ADD COLUMN claimed_day date;
