-- Who sets chains takes turns: what they read of the others' holds until they have written.
CREATE TABLE chain_turns (
    only_row integer PRIMARY KEY,
    turns bigint NOT NULL
);
