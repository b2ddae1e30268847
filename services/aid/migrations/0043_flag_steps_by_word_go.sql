DROP TABLE flag_steps;
