-- Flags that nobody decided, by school and cause: counted and summed from the index alone.
CREATE INDEX flags_undecided ON flags (school, cause, term, state, amount_fen, opened_at_us) WHERE state <= 10;
