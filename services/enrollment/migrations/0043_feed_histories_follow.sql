-- The last position of the history before that this one still holds; what came after it there was forgotten. Not known of those of before.
ALTER TABLE feed_histories ADD COLUMN follows_position bigint;
