ALTER TABLE submissions DROP COLUMN state;
