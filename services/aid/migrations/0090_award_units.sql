-- What an entry covers, unit by unit: a month, a term, a year. Unit: 1 month, 2 term, 3 year. The first month is YYYYMM, of a term its first
-- calendar month. Standing: see award::units::rules; below 50 it stands. The subject is who had it when it was approved, and is never
-- rewritten; none before. Taken by: the entry whose approved unit keeps this one from being approved, or kept it from standing.
CREATE TABLE award_units (
    entry uuid NOT NULL REFERENCES award_entries,
    first_month integer NOT NULL,
    unit integer NOT NULL,
    scheme text NOT NULL,
    subject uuid,
    fen bigint NOT NULL,
    standing integer NOT NULL,
    -- civil day since when it stands so; none where that was before units were rows
    standing_since date,
    taken_by uuid REFERENCES award_entries,
    PRIMARY KEY (entry, first_month)
);
