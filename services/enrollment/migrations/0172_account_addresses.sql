-- From where an account has logged in: whoever is there is not slowed down by what strangers try.
CREATE TABLE account_addresses (
    account text NOT NULL,
    address text NOT NULL,
    last_us bigint NOT NULL,
    PRIMARY KEY (account, address)
);
