-- What of a list was shown publicly, from when until when: of a round before it was signed, or of what was approved.
CREATE TABLE notices (
    notice uuid PRIMARY KEY,
    list uuid NOT NULL,
    -- the round of the list
    dossier uuid NOT NULL,
    school text NOT NULL,
    authority text NOT NULL,
    title text NOT NULL,
    -- a code: 1 before the signature, 2 after the audit
    stage integer NOT NULL,
    opened_day date NOT NULL,
    -- last day on which it is shown
    last_day date NOT NULL,
    -- whether it is shown to whoever has the link, besides on paper
    published boolean NOT NULL,
    -- the digest of what is shown
    digest text NOT NULL,
    opened_at_us bigint NOT NULL
);
