-- The second factor of an account: its secret, sealed under the service's key; one that is proposed and not confirmed yet; and the last step of
-- time whose code was used.
ALTER TABLE accounts ADD COLUMN factor bytea;
ALTER TABLE accounts ADD COLUMN factor_proposed bytea;
ALTER TABLE accounts ADD COLUMN factor_step bigint NOT NULL DEFAULT 0;
-- Codes that are each good for one log-in without it, as keyed hashes.
CREATE TABLE recovery_codes (
    account text NOT NULL,
    code_hash bytea NOT NULL,
    PRIMARY KEY (account, code_hash)
);
