ALTER TABLE imports RENAME COLUMN list TO subject;
