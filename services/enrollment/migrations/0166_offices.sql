-- Whom to call at a region's department. A school's telephone stands with the school.
CREATE TABLE offices (
    region text PRIMARY KEY,
    telephone text NOT NULL,
    set_by text NOT NULL,
    set_by_name text NOT NULL,
    set_day date NOT NULL
);
