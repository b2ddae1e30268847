-- Over which desks the dossiers of a kind go: for a school, a region with all below it or everybody, from a day on.
CREATE TABLE chains (
    chain uuid PRIMARY KEY,
    kind integer NOT NULL,
    scope text NOT NULL,
    from_day date NOT NULL,
    -- empty where what holds above holds again
    steps text NOT NULL,
    reason text NOT NULL,
    recorded_by text NOT NULL,
    recorded_by_name text NOT NULL,
    recorded_at_us bigint NOT NULL
);
