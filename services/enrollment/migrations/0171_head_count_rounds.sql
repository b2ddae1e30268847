-- Through which day every school that was there has been counted.
CREATE TABLE head_count_rounds (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    day date NOT NULL
);
