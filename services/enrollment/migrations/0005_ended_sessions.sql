-- When the newest session of an account was opened, microseconds since 1970: whatever ends them ends that one too, be it stamped by
-- a clock that is ahead.
ALTER TABLE accounts ADD COLUMN last_opened_us bigint NOT NULL DEFAULT 0;

-- Sessions that their owner ended, by when they were opened.
CREATE TABLE ended_sessions (
    account text NOT NULL,
    opened_us bigint NOT NULL,
    PRIMARY KEY (account, opened_us)
);
CREATE INDEX ended_sessions_by_time ON ended_sessions (opened_us);
