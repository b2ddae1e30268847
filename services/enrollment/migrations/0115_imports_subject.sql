-- What the file was for, where it is for something within the school.
ALTER TABLE imports ADD COLUMN subject uuid;
