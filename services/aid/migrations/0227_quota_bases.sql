-- How many students a share is of, as they were counted.
CREATE TABLE quota_bases (
    -- version of the policy, and the limit's name in it
    policy integer NOT NULL,
    quota text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    -- a school's code, or the first digits of a region
    place text NOT NULL,
    -- 0 for all
    grade integer NOT NULL,
    students bigint NOT NULL,
    -- by the state of which day, and on which day it was counted
    of_day date NOT NULL,
    counted_day date NOT NULL,
    PRIMARY KEY (policy, quota, scheme, term, place, grade)
);
