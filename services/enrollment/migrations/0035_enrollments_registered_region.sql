-- 户口所在地行政区划码; filled from the kept columns at the first start.
ALTER TABLE enrollments ADD COLUMN registered_region text NOT NULL DEFAULT '';
