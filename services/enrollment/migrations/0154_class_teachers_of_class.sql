CREATE INDEX class_teachers_of_class ON class_teachers (school, class_name, from_day);
