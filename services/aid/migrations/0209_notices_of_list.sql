-- A list's own, in order of time.
CREATE INDEX notices_of_list ON notices (list, notice);
