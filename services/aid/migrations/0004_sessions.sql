-- From when on the sessions of an account are good, as enrollment said, microseconds since 1970. The empty account says that
-- enrollment was heard at all.
CREATE TABLE sessions (
    account text PRIMARY KEY,
    from_us bigint NOT NULL
);
