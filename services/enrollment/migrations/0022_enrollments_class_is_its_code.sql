ALTER TABLE enrollments RENAME COLUMN class_code TO id_class;
