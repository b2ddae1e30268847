-- A department's, the last first.
CREATE INDEX objections_of_authority ON objections (authority, objection);
