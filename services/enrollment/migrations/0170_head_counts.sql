-- When each school's students were counted last, for those who follow the feed: up to which position of it, for which day.
CREATE TABLE head_counts (
    school text PRIMARY KEY,
    day date NOT NULL,
    position bigint NOT NULL
);
