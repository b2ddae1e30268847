-- Conversions of what stands in a database of before, by name: how far each came.
CREATE TABLE conversions (
    name text PRIMARY KEY,
    after_key text NOT NULL,
    done boolean NOT NULL
);
