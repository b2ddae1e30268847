CREATE INDEX class_teachers_by_account ON class_teachers (account, school);
