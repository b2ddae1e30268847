-- What was taken out as a workbook, by whom and what for. The workbook is not kept; by its hash a file that turns up can be told.
CREATE TABLE take_outs (
    take_out uuid PRIMARY KEY,
    -- a code of the service's kinds of tables
    kind integer NOT NULL,
    school text NOT NULL,
    -- what the table is of, where it is of something
    subject uuid,
    -- what narrowed it, in words
    narrowed text NOT NULL,
    -- counts only, and nobody's name
    counts boolean NOT NULL,
    account text NOT NULL,
    account_name text NOT NULL,
    address text NOT NULL,
    at_us bigint NOT NULL,
    purpose text NOT NULL,
    row_count integer NOT NULL,
    content_hash bytea NOT NULL
);
