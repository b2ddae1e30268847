-- The desks of a dossier, as its chain said when it began.
CREATE TABLE dossier_steps (
    dossier uuid NOT NULL REFERENCES dossiers,
    step integer NOT NULL,
    seat text NOT NULL,
    duty integer NOT NULL,
    working_days integer NOT NULL,
    PRIMARY KEY (dossier, step)
);
