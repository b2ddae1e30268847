-- Who opened an account that signs, or gave it a password, while nobody else confirmed that; empty where nobody has to.
ALTER TABLE accounts ADD COLUMN unconfirmed_of text NOT NULL DEFAULT '';
