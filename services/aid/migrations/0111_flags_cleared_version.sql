-- How that digest was made: see evidence_version.
ALTER TABLE flags ADD COLUMN cleared_version integer NOT NULL DEFAULT 0;
