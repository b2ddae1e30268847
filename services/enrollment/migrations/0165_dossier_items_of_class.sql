-- The class of whom a line is about: a sheet is read class by class. Empty for lines of before, and where there is none.
ALTER TABLE dossier_items ADD COLUMN class_name text NOT NULL DEFAULT '';
