-- How far the accounts of enrollment have counted their sessions, as last heard: tokens that carry less are over.
CREATE TABLE sessions (
    account text PRIMARY KEY,
    session bigint NOT NULL
);
