-- A school and a scheme of a summary.
CREATE TABLE term_summary_lines (
    line uuid PRIMARY KEY,
    summary uuid NOT NULL REFERENCES term_summaries,
    school text NOT NULL,
    school_name text NOT NULL,
    scheme text NOT NULL,
    entries bigint NOT NULL,
    units bigint NOT NULL,
    fen bigint NOT NULL,
    UNIQUE (summary, school, scheme)
);
