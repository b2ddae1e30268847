CREATE INDEX flags_by_person_subject ON flags (person_subject);
