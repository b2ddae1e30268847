-- Sessions of people that are open: how many an account has, and which of them nobody uses.
CREATE TABLE open_sessions (
    account text NOT NULL,
    opened_us bigint NOT NULL,
    uses bigint NOT NULL,
    PRIMARY KEY (account, opened_us)
);
