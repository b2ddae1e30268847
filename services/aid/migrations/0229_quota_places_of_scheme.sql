CREATE INDEX quota_places_of_scheme ON quota_places (scheme, term, school, region, grade, grounds);
