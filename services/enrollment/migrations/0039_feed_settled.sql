-- Up to which position everything had been told by the end of a minute (since 1970) of a civil day. Whoever asks what was known at a time
-- is answered by a position: commits arrive out of order and clocks step, positions do neither. Minutes and days rise with positions: what
-- a clock said that went back is not written.
CREATE TABLE feed_settled (
    position bigint PRIMARY KEY,
    minute bigint NOT NULL,
    day date NOT NULL
);
