CREATE INDEX known_versions_by_position ON known_versions (position);
