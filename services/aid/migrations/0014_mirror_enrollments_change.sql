-- The change that made this state at the source: asked for later, to know what the source forgot. None before format 2.
ALTER TABLE mirror_enrollments ADD COLUMN change uuid;
