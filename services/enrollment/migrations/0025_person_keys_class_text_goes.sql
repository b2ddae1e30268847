ALTER TABLE person_keys DROP COLUMN id_class;
