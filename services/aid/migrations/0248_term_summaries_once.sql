-- Of a department and term one summary waits.
CREATE UNIQUE INDEX term_summaries_once ON term_summaries (authority, term) WHERE state <= 10;
