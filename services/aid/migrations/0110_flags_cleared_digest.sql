-- The digest of the evidence for which the department found no fault last; none before, and after a later confirmation.
ALTER TABLE flags ADD COLUMN cleared_digest bytea;
