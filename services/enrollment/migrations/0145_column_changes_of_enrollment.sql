CREATE INDEX column_changes_of_enrollment ON column_changes (enrollment, recorded_at_us);
