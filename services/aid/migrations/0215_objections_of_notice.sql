-- What was said against a notice.
CREATE INDEX objections_of_notice ON objections (notice, state);
