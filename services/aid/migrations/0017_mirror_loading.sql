-- A fresh generation that is being loaded: where its snapshot began, and how far it came.
CREATE TABLE mirror_loading (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    generation bigint NOT NULL,
    history uuid NOT NULL,
    scope text NOT NULL,
    position bigint NOT NULL,
    change uuid NOT NULL,
    format integer NOT NULL,
    after_kind integer NOT NULL,
    after_record uuid NOT NULL
);
