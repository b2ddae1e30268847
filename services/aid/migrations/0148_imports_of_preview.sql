-- The preview that was written.
ALTER TABLE imports ADD COLUMN of_preview uuid;
