-- Who was one too many when their list was weighed last, and of how many.
CREATE TABLE quota_excess (
    entry uuid PRIMARY KEY,
    -- the limit, as the judge is told of it
    excess text NOT NULL
);
