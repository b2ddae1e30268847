-- 城乡分类代码 of the registered address; empty where it is not known.
ALTER TABLE mirror_periods ADD COLUMN urban_rural text NOT NULL DEFAULT '';
