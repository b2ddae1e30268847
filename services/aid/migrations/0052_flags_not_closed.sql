-- Closed ones come last: life::State::FIRST_CLOSED.
CREATE INDEX flags_not_closed ON flags (rule) WHERE state < 50;
