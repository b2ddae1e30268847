CREATE INDEX flags_by_cause ON flags (cause);
