-- Counts what ends an account's sessions (a changed or reset password, a closed account): tokens that carry less are over.
ALTER TABLE accounts ADD COLUMN session bigint NOT NULL DEFAULT 0;
-- When it last counted, microseconds since 1970: what is older than any token concerns nobody.
ALTER TABLE accounts ADD COLUMN session_since_us bigint NOT NULL DEFAULT 0;
-- Request id of the account's last own change of password: whoever heard no answer asks again. Empty after a reset.
ALTER TABLE accounts ADD COLUMN password_request text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN disabled boolean NOT NULL DEFAULT false;
CREATE INDEX accounts_by_session ON accounts (session_since_us);
