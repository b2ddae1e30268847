-- What a class teacher said of who is in the class on a day: that the list is right, or who is wrong on it.
CREATE TABLE class_confirmations (
    confirmation uuid PRIMARY KEY,
    school text NOT NULL REFERENCES schools,
    class_name text NOT NULL,
    account text NOT NULL,
    display_name text NOT NULL,
    day date NOT NULL,
    at_us bigint NOT NULL,
    -- covers who is in the class and in which state
    digest text NOT NULL,
    students integer NOT NULL,
    -- what is wrong; empty where the list is right
    wrong text NOT NULL
);
