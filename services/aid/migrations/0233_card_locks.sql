-- Who writes entries that name a card locks it: two at once take turns, and the later one sees the other.
CREATE TABLE card_locks (card_key uuid PRIMARY KEY);
