-- At which position each version of a record was told, whether the log still holds it or not; none while it waits for its position.
CREATE VIEW told_versions (kind, record, version, position) AS
SELECT kind, record, version, position FROM change_log UNION ALL SELECT kind, record, version, position FROM known_versions;
