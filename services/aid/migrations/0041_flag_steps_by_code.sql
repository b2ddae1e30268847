CREATE TABLE flag_steps_coded (
    flag uuid NOT NULL REFERENCES flags_coded,
    ordinal integer NOT NULL,
    at_us bigint NOT NULL,
    civil_day date NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    -- a code of life::Step
    act integer NOT NULL,
    detail text NOT NULL,
    evidence text NOT NULL,
    PRIMARY KEY (flag, ordinal)
);
