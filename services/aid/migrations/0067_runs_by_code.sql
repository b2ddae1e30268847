-- States of sweeps by code, as reconciliation has them.
ALTER TABLE runs ADD COLUMN state_code integer NOT NULL DEFAULT 0;
