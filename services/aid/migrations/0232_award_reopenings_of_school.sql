CREATE INDEX award_reopenings_of_school ON award_reopenings (school, term, scheme, until_day);
