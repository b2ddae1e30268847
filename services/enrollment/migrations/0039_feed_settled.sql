-- How far everything had been told at the end of a minute (since 1970, by the source's clock) of a civil day. Whoever asks what was
-- known at a time is answered by a position: commits arrive out of order and clocks step, positions do neither. A civil day that was
-- stepped may pass within a minute.
CREATE TABLE feed_settled (
    day date NOT NULL,
    minute bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (day, minute)
);
