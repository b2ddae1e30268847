-- Who was approved where only so many may be: by what they were let in.
CREATE TABLE quota_places (
    entry uuid PRIMARY KEY,
    scheme text NOT NULL,
    term text NOT NULL,
    school text NOT NULL,
    region text NOT NULL,
    grade integer NOT NULL,
    -- words, joined by blanks
    grounds text NOT NULL
);
