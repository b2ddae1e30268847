-- Whether it has a case in the register of what was confirmed.
ALTER TABLE flags ADD COLUMN registered boolean NOT NULL DEFAULT false;
