-- Histories that this database has been through. A follower of one of them can be told what was forgotten.
CREATE TABLE feed_histories (
    history uuid PRIMARY KEY,
    base_position bigint NOT NULL,
    begun_at_us bigint NOT NULL
);
