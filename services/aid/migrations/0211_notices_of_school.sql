-- A school reads its own, the last first.
CREATE INDEX notices_of_school ON notices (school, notice);
