-- How the digest of the evidence was made; 1 covered all of the evidence, later ones only what the rule decided on.
ALTER TABLE flags ADD COLUMN evidence_version integer NOT NULL DEFAULT 1;
