-- What the password of an account is good for: any number of log-ins (0), one (1), none any more but the change in the session it opened (2).
ALTER TABLE accounts ADD COLUMN password_use integer NOT NULL DEFAULT 0;
