-- What lies with one dossier or case, in the order in which it was added.
CREATE INDEX evidence_of_subject ON evidence (subject, evidence);
