-- For whom whoever set a chain keeps the directory: a region's code, empty for everybody; none where a database of before did not keep it.
ALTER TABLE chains ADD COLUMN recorded_for text;
