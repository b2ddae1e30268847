-- Since which civil day a school is closed, or open again; none where it never changed.
ALTER TABLE schools ADD COLUMN state_day date;
