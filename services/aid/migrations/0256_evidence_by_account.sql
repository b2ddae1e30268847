CREATE INDEX evidence_by_account ON evidence (added_by, added_at_us);
