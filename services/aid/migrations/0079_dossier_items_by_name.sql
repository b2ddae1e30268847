CREATE INDEX dossier_items_by_name ON dossier_items (name);
