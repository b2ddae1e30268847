-- What an account may, bound to it under the service's key.
ALTER TABLE accounts ADD COLUMN row_check bytea;
