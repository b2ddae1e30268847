-- Those that were found double when they became rows: Standing::Double of award::units.
CREATE INDEX award_units_double ON award_units (entry, first_month) WHERE standing = 51;
