DROP INDEX award_units_taken;
