-- A school reads its own, year by year, class by class.
CREATE INDEX hardship_levels_of_school ON hardship_levels (school, school_year, class_name, name);
