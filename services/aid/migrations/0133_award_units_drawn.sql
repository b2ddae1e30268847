-- Nobody draws a unit of one scheme twice, nor one that is to be stopped and is not yet: Standing::FIRST_TAKEN to FIRST_FREE of award::units.
CREATE UNIQUE INDEX award_units_drawn ON award_units (subject, scheme, unit, first_month) WHERE standing >= 11 AND standing < 20;
