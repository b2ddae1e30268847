CREATE INDEX flags_by_entry ON flags (entry);
