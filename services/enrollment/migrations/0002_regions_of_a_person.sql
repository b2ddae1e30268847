-- A person concerns the region of every school that ever had them: their scope follows from their enrollments.
ALTER TABLE persons DROP COLUMN scope;
