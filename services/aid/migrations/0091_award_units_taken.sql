-- Nobody draws a unit of one scheme twice: Standing::Approved of award::units.
CREATE UNIQUE INDEX award_units_taken ON award_units (subject, scheme, unit, first_month) WHERE standing = 11;
