CREATE INDEX cases_by_school ON cases (school, flag);
