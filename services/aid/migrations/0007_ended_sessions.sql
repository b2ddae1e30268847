-- Sessions that their owner ended, by when they were opened, microseconds since 1970.
CREATE TABLE ended_sessions (
    account text NOT NULL,
    opened_us bigint NOT NULL,
    PRIMARY KEY (account, opened_us)
);
CREATE INDEX ended_sessions_by_time ON ended_sessions (opened_us);
