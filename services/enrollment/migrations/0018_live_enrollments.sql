-- All but final states: drafts and claims stay unique by school and key.
CREATE UNIQUE INDEX enrollments_live ON enrollments (school, claim_key) WHERE state < 50;
