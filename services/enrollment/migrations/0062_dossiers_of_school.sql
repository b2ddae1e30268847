CREATE INDEX dossiers_of_school ON dossiers (school, dossier);
