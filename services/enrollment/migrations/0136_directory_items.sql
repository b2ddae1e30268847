-- Which school or account a record of an import is: imports know their records by ids, schools and accounts have names.
CREATE TABLE directory_items (
    item uuid PRIMARY KEY,
    name text NOT NULL
);
