-- What was said against what a notice shows. Who said it is sealed, and told to the department alone.
CREATE TABLE objections (
    objection uuid PRIMARY KEY,
    notice uuid NOT NULL REFERENCES notices,
    school text NOT NULL,
    authority text NOT NULL,
    -- whom it concerns; none where it concerns the notice
    entry uuid,
    student text NOT NULL,
    -- whether it came by the form and not by hand
    by_form boolean NOT NULL,
    -- a code: 1 open, 2 answered by the school, 11 upheld, 51 dismissed
    state integer NOT NULL,
    text_sealed bytea NOT NULL,
    objector_sealed bytea NOT NULL,
    -- from where it came by the form, as a hash
    came_from uuid,
    filed_day date NOT NULL,
    filed_at_us bigint NOT NULL,
    answer_sealed bytea,
    answered_by_name text NOT NULL,
    decision text NOT NULL,
    decided_by_name text NOT NULL
);
