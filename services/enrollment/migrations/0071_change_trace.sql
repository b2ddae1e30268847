-- The request that made the change, by its traceparent; empty where there was none.
ALTER TABLE change_log ADD COLUMN trace text NOT NULL DEFAULT '';
