-- Until when a password that was not chosen by whose it is lets them in, microseconds since 1970; 0 for as long as it is there.
ALTER TABLE accounts ADD COLUMN password_until_us bigint NOT NULL DEFAULT 0;
