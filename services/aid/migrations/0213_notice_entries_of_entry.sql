-- By which notices an entry was shown.
CREATE INDEX notice_entries_of_entry ON notice_entries (entry);
