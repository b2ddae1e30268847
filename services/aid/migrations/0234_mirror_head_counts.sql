-- How many students enrollment counted at a school, and up to which position of the feed, by generation.
CREATE TABLE mirror_head_counts (
    generation bigint NOT NULL,
    school text NOT NULL,
    source smallint NOT NULL,
    version bigint NOT NULL,
    recorded_at_us bigint NOT NULL,
    day date NOT NULL,
    history uuid NOT NULL,
    position bigint NOT NULL,
    records bigint NOT NULL,
    versions bigint NOT NULL,
    groups text NOT NULL,
    PRIMARY KEY (generation, school)
);
