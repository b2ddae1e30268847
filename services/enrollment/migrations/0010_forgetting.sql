-- How far forgetting by age has come, microseconds since 1970: a clock of its own, which no step of the system's moves far.
CREATE TABLE forgetting (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    at_us bigint NOT NULL
);
