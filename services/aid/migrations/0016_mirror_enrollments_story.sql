-- What the enrollment says, whatever ids the source gives: equal at a source that was made anew.
ALTER TABLE mirror_enrollments ADD COLUMN story uuid;
