-- Lists of who should be listed and is not, by school and term, as the principal signs them.
CREATE TABLE omission_lists (
    list uuid PRIMARY KEY,
    school text NOT NULL,
    term text NOT NULL,
    state integer NOT NULL,
    dossier uuid,
    reason text NOT NULL DEFAULT '',
    created_day date NOT NULL,
    created_at_us bigint NOT NULL,
    signed_day date
);
