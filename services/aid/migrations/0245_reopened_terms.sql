-- What other capabilities may join with: until when the province opened a school's lists of a scheme and term again.
CREATE VIEW reopened_terms AS SELECT school, scheme, term, until_day FROM award_reopenings;
