-- The runs of a policy.
CREATE INDEX runs_of_policy ON runs (policy, run);
