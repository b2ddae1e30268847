-- What dossiers ask of entries that were approved. What: 1 stop, 2 cut, 3 void. Months: the first months of the units that it takes, with
-- commas; what these come to.
CREATE TABLE award_corrections (
    dossier uuid NOT NULL,
    entry uuid NOT NULL REFERENCES award_entries,
    what integer NOT NULL,
    months text NOT NULL,
    fen bigint NOT NULL,
    PRIMARY KEY (dossier, entry)
);
