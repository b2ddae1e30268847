CREATE INDEX runs_by_account ON runs (actor, started_at_us);
