-- Who writes files for a school takes turns: what they read of the others' holds until they have written.
CREATE TABLE import_turns (
    kind integer NOT NULL,
    school text NOT NULL,
    turns bigint NOT NULL,
    PRIMARY KEY (kind, school)
);
