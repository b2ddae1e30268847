CREATE INDEX dossiers_above ON dossiers (above, since_day, dossier) WHERE state < 50;
