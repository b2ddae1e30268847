-- The view of approved units is made anew, with whether each is paid, and whose it is.
DROP VIEW approved_units;
