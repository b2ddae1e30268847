CREATE INDEX feed_settled_by_day ON feed_settled (day, position);
