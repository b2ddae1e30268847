CREATE INDEX award_corrections_by_entry ON award_corrections (entry, dossier);
