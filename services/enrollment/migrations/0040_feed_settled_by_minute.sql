CREATE INDEX feed_settled_by_minute ON feed_settled (minute, position);
