ALTER TABLE person_keys RENAME COLUMN class_code TO id_class;
