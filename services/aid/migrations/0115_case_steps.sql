CREATE TABLE case_steps (
    flag uuid NOT NULL REFERENCES cases,
    ordinal integer NOT NULL,
    at_us bigint NOT NULL,
    civil_day date NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    -- a code of register::rules::Step
    act integer NOT NULL,
    detail text NOT NULL,
    months text NOT NULL,
    amount_fen bigint,
    evidence text NOT NULL,
    PRIMARY KEY (flag, ordinal)
);
