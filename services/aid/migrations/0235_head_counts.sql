-- How the last count of a school compared: which version of the count, in which generation of the mirror.
CREATE TABLE head_counts (
    school text PRIMARY KEY,
    generation bigint NOT NULL,
    version bigint NOT NULL,
    outcome integer NOT NULL,
    compared_at_us bigint NOT NULL
);
