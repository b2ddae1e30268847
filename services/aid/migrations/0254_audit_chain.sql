-- Each line of the audit has a check under the service's key, and a place in a chain.
ALTER TABLE audit ADD COLUMN school text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN region text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN content text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN line_check bytea;
ALTER TABLE audit ADD COLUMN position bigint;
ALTER TABLE audit ADD COLUMN link bytea;
CREATE UNIQUE INDEX audit_by_position ON audit (position);
CREATE INDEX audit_unsealed ON audit (id) WHERE position IS NULL;
CREATE INDEX audit_by_school ON audit (school, id);
-- How far the chain went.
CREATE TABLE audit_head (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    position bigint NOT NULL,
    link bytea NOT NULL,
    at_us bigint NOT NULL
);
-- The places of lines whose time is over.
CREATE TABLE audit_forgotten (
    position bigint PRIMARY KEY,
    line_check bytea NOT NULL,
    link bytea NOT NULL,
    mark bytea NOT NULL
);
-- How far the other service's chain went, as that one signed it.
CREATE TABLE audit_witnesses (
    position bigint NOT NULL,
    link bytea NOT NULL,
    at_us bigint NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (position, link)
);
