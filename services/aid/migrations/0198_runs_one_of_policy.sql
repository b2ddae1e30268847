-- What a policy changes is found out once at a time.
CREATE UNIQUE INDEX runs_one_of_policy ON runs (policy) WHERE state = 1 AND policy IS NOT NULL;
