-- From when on an account's sessions are good, microseconds since 1970: those opened before a password was changed or reset, or
-- the account closed, are over.
ALTER TABLE accounts ADD COLUMN sessions_from_us bigint NOT NULL DEFAULT 0;
-- Request id of the account's last own change of password: whoever heard no answer asks again. Empty after a reset.
ALTER TABLE accounts ADD COLUMN password_request text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN disabled boolean NOT NULL DEFAULT false;
CREATE INDEX accounts_by_session ON accounts (sessions_from_us);
