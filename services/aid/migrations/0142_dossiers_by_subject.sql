-- The rounds of one list, of whatever kind.
CREATE INDEX dossiers_by_subject ON dossiers (subject, dossier);
