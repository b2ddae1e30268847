-- Policies that were proposed, and the versions of those that were signed. What one says never changes.
CREATE TABLE policies (
    policy uuid PRIMARY KEY,
    -- from 1, in the order in which they were signed; none before
    version integer,
    -- a code
    state integer NOT NULL,
    -- from which day it holds
    from_day date NOT NULL,
    -- as it was written
    content text NOT NULL,
    -- why it is proposed
    note text NOT NULL,
    proposed_by text NOT NULL,
    proposed_by_name text NOT NULL,
    proposed_at_us bigint NOT NULL,
    -- the department whose desk decides
    authority text NOT NULL
);
