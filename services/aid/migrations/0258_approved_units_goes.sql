-- The view of approved units is made anew.
DROP VIEW approved_units;
