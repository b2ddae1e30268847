CREATE INDEX dossiers_waiting ON dossiers (waits_at, since_day, dossier) WHERE state < 50;
