-- Whom a department knows to be of a special group, from the lists that it was sent, until which day (that day among them). No number is kept, but a key of it.
CREATE TABLE special_groups (
    member uuid PRIMARY KEY,
    authority text NOT NULL,
    group_word text NOT NULL,
    person_key uuid NOT NULL,
    name_comparable text NOT NULL,
    until_day date NOT NULL,
    content_hash bytea NOT NULL,
    recorded_day date NOT NULL,
    recorded_by text NOT NULL,
    UNIQUE (authority, group_word, person_key)
);
