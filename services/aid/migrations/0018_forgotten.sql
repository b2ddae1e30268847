-- What the source said and does not know any more: it was put back to an older copy. Kept until the source says it again or
-- the department decides. State: 1 open, 2 said again, 3 decided.
CREATE TABLE forgotten (
    forgotten uuid PRIMARY KEY,
    kind integer NOT NULL,
    record uuid NOT NULL,
    school text NOT NULL,
    name text NOT NULL,
    story uuid NOT NULL,
    facts text NOT NULL,
    noticed_at_us bigint NOT NULL,
    noticed_day date NOT NULL,
    state integer NOT NULL,
    ended_at_us bigint NOT NULL,
    ended_day date,
    ended_by text NOT NULL,
    ended_by_name text NOT NULL,
    reason text NOT NULL
);
