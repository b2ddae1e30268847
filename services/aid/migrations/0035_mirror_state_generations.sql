-- Sources draw the numbers of their generations from one row of numbers: two that draw at once don't get the same.
CREATE UNIQUE INDEX mirror_state_generations ON mirror_state (last_generation);
