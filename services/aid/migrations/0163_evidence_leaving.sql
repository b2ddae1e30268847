-- Sealed files that no line asks for: written down before a file is put into the vault, struck out by the line that asks for it.
-- What stands here when its time comes is taken away.
CREATE TABLE evidence_leaving (
    evidence uuid PRIMARY KEY,
    address bytea NOT NULL,
    due_us bigint NOT NULL,
    -- it is being taken away: no line may ask for it any more
    claimed boolean NOT NULL
);
