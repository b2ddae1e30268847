-- Rises while a leader lives: who sees it stand still for some seconds of its own monotonic clock takes over.
ALTER TABLE feed_sequencer ADD COLUMN beats bigint NOT NULL DEFAULT 0;
