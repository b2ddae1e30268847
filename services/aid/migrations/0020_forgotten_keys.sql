-- Whom it concerns: approval of their awards waits.
CREATE TABLE forgotten_keys (
    forgotten uuid NOT NULL REFERENCES forgotten,
    person_key uuid NOT NULL,
    PRIMARY KEY (person_key, forgotten)
);
