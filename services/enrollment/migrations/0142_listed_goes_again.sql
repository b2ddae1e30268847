DROP INDEX enrollments_listed;
