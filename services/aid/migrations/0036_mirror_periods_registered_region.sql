-- 户口所在地行政区划码; empty where it was not told.
ALTER TABLE mirror_periods ADD COLUMN registered_region text NOT NULL DEFAULT '';
