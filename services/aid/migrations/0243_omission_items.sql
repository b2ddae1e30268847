-- Who is on a list of omissions, and why they are not listed.
CREATE TABLE omission_items (
    item uuid PRIMARY KEY,
    list uuid NOT NULL,
    scheme text NOT NULL,
    person_key uuid NOT NULL,
    flag uuid,
    statement uuid,
    name text NOT NULL,
    class_name text NOT NULL,
    cause integer NOT NULL,
    note text NOT NULL
);
