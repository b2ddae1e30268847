-- Rises while somebody works on the run: one that stands still was broken off.
ALTER TABLE runs ADD COLUMN beats bigint NOT NULL DEFAULT 0;
