-- Who has a level is asked for whoever is judged.
CREATE INDEX hardship_levels_of_key ON hardship_levels (person_key, state);
