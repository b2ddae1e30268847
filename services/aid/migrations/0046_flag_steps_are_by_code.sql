ALTER TABLE flag_steps_coded RENAME TO flag_steps;
