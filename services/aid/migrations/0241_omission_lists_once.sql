-- Of a school and term one list is under way.
CREATE UNIQUE INDEX omission_lists_once ON omission_lists (school, term) WHERE state <= 10;
