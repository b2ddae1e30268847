CREATE INDEX chains_by_scope ON chains (kind, scope, from_day);
