ALTER TABLE enrollments DROP COLUMN id_class;
