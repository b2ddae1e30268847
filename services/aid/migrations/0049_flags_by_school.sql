CREATE INDEX flags_by_school ON flags (school, flag);
