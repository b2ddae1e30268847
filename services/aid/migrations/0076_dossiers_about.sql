CREATE INDEX dossiers_about ON dossiers (kind, subject, dossier);
