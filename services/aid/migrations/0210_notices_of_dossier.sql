-- Whoever signs a round asks for its own.
CREATE INDEX notices_of_dossier ON notices (dossier);
