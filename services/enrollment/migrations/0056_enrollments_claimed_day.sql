-- The civil day on which the claim was submitted; what it means goes by what was recorded of persons then.
ALTER TABLE enrollments ADD COLUMN claimed_day date;
