CREATE INDEX special_groups_person ON special_groups (person_key);
