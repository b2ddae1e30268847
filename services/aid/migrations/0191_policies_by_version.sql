-- A number is one version's.
CREATE UNIQUE INDEX policies_by_version ON policies (version);
