CREATE INDEX submissions_by_state ON submissions (state, submission);
