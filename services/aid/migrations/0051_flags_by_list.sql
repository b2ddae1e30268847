CREATE INDEX flags_by_list ON flags (list);
