-- What may have been kept long enough.
CREATE INDEX evidence_by_day ON evidence (state, added_day, evidence);
