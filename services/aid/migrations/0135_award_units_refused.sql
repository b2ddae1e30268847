-- What an entry keeps others from having.
CREATE INDEX award_units_refused ON award_units (taken_by, first_month) WHERE taken_by IS NOT NULL;
