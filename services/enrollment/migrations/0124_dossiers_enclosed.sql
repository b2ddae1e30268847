-- Digest of the papers that are enclosed, which the dossier's own covers; empty where there are none.
ALTER TABLE dossiers ADD COLUMN enclosed text NOT NULL DEFAULT '';
