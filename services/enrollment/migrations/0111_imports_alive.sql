-- Until when whoever runs an import is taken to be there, in microseconds; it is put on while that runs.
ALTER TABLE imports ADD COLUMN alive_until_us bigint NOT NULL DEFAULT 0;
