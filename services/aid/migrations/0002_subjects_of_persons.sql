-- What aid holds against a person hangs on one subject for good, whichever keys the person gains or loses.
CREATE TABLE person_subjects (
    person uuid PRIMARY KEY,
    subject uuid NOT NULL UNIQUE
);
CREATE INDEX flags_by_list ON flags (list);
