-- What other capabilities may join with: levels that are with the clerk, or on their way over desks.
CREATE VIEW levels_under_way AS SELECT determination, school, person_key FROM hardship_levels WHERE state <= 10;
