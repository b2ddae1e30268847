CREATE INDEX import_effects_by_time ON import_effects (at_us);
