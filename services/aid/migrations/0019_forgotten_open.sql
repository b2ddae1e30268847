CREATE INDEX forgotten_open ON forgotten (school, forgotten) WHERE state = 1;
