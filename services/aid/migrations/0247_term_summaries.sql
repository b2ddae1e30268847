-- What the schools under a department were approved in a term, as its head signs it. State: see summaries::rules; up to 10 it waits.
CREATE TABLE term_summaries (
    summary uuid PRIMARY KEY,
    authority text NOT NULL,
    term text NOT NULL,
    number integer NOT NULL,
    state integer NOT NULL,
    dossier uuid NOT NULL,
    reason text NOT NULL DEFAULT '',
    digest text NOT NULL,
    submitted_by text NOT NULL,
    submitted_day date NOT NULL,
    signed_by text NOT NULL DEFAULT '',
    signed_day date,
    UNIQUE (authority, term, number)
);
