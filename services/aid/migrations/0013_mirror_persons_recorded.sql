-- When the source committed it, microseconds since 1970; 0 where that was not kept.
ALTER TABLE mirror_persons ADD COLUMN recorded_at_us bigint NOT NULL DEFAULT 0;
