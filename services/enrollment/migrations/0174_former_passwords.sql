-- Hashes of the last passwords of an account: none of them is chosen again.
CREATE TABLE former_passwords (
    account text NOT NULL,
    until_us bigint NOT NULL,
    password_hash text NOT NULL,
    PRIMARY KEY (account, until_us)
);
