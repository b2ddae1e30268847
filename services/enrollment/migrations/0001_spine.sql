-- One text for both engines: SQLite keeps each value in the form it was bound in, whatever the column says.

CREATE TABLE schools (
    code text PRIMARY KEY,
    name text NOT NULL,
    region text NOT NULL,
    kind text NOT NULL,
    authority text NOT NULL,
    state text NOT NULL
);
CREATE INDEX schools_by_authority ON schools (authority);

CREATE TABLE school_majors (
    school text NOT NULL REFERENCES schools,
    catalogue text NOT NULL,
    code text NOT NULL,
    PRIMARY KEY (school, catalogue, code)
);

CREATE TABLE accounts (
    account text PRIMARY KEY,
    display_name text NOT NULL,
    role text NOT NULL,
    organisation text NOT NULL,
    password_hash text NOT NULL,
    must_change_password boolean NOT NULL,
    wrong_passwords integer NOT NULL,
    locked_until_us bigint NOT NULL,
    created_at_us bigint NOT NULL
);

-- A person whom a department approved. The id never changes.
CREATE TABLE persons (
    person uuid PRIMARY KEY,
    sex integer NOT NULL,
    birth_date date NOT NULL,
    registry integer NOT NULL,
    student_number_sealed bytea NOT NULL,
    student_number_hash uuid NOT NULL UNIQUE,
    student_number_formal boolean NOT NULL,
    scope text NOT NULL,
    etag bigint NOT NULL
);

CREATE TABLE person_keys (
    person uuid NOT NULL REFERENCES persons,
    person_key uuid NOT NULL,
    kind integer NOT NULL,
    end_recorded date,
    id_class text NOT NULL,
    id_sealed bytea NOT NULL,
    PRIMARY KEY (person, person_key)
);
-- A number is one person's at a time.
CREATE UNIQUE INDEX person_keys_current ON person_keys (person_key) WHERE kind = 1;
CREATE INDEX person_keys_by_key ON person_keys (person_key);

CREATE TABLE person_names (
    person uuid NOT NULL REFERENCES persons,
    ordinal integer NOT NULL,
    name text NOT NULL,
    kind integer NOT NULL,
    end_recorded date,
    PRIMARY KEY (person, ordinal)
);

-- One valid place a person: held here, and nowhere else.
CREATE TABLE places (
    person uuid PRIMARY KEY REFERENCES persons,
    enrollment uuid NOT NULL UNIQUE
);

CREATE TABLE enrollments (
    enrollment uuid PRIMARY KEY,
    school text NOT NULL REFERENCES schools,
    state text NOT NULL,
    person uuid REFERENCES persons,
    submission uuid,
    claim_key uuid NOT NULL,
    id_document text NOT NULL,
    id_class text NOT NULL,
    id_sealed bytea NOT NULL,
    id_masked text NOT NULL,
    name text NOT NULL,
    name_comparable text NOT NULL,
    sex integer NOT NULL,
    birth_date date NOT NULL,
    school_number text NOT NULL,
    class_name text NOT NULL,
    major text NOT NULL,
    entry_month integer NOT NULL,
    entry_date date NOT NULL,
    study_form text NOT NULL,
    student_category text NOT NULL,
    household text NOT NULL,
    residence text NOT NULL,
    phone_hash uuid NOT NULL,
    -- every column of the workbook, sealed
    details_sealed bytea NOT NULL,
    content_hash bytea NOT NULL,
    sent_back_reason text NOT NULL,
    refusal text NOT NULL,
    state_since date,
    approved_day date,
    updated_at_us bigint NOT NULL,
    etag bigint NOT NULL
);
CREATE UNIQUE INDEX enrollments_live ON enrollments (school, claim_key) WHERE state <> 'WITHDRAWN';
CREATE INDEX enrollments_listed ON enrollments (school, class_name, name, enrollment);
CREATE INDEX enrollments_by_key ON enrollments (claim_key);
CREATE INDEX enrollments_by_person ON enrollments (person);
CREATE INDEX enrollments_by_submission ON enrollments (submission);
CREATE INDEX enrollments_by_school_number ON enrollments (school, school_number);

CREATE TABLE enrollment_periods (
    enrollment uuid NOT NULL REFERENCES enrollments,
    ordinal integer NOT NULL,
    from_date date NOT NULL,
    to_date date,
    state integer NOT NULL,
    reason text NOT NULL,
    recorded_day date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at_us bigint NOT NULL,
    PRIMARY KEY (enrollment, ordinal)
);

CREATE TABLE identity_corrections (
    id uuid PRIMARY KEY,
    person uuid NOT NULL REFERENCES persons,
    enrollment uuid NOT NULL REFERENCES enrollments,
    kind integer NOT NULL,
    effective date NOT NULL,
    reason text NOT NULL,
    recorded_day date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at_us bigint NOT NULL
);

CREATE TABLE submissions (
    submission uuid PRIMARY KEY,
    school text NOT NULL REFERENCES schools,
    state text NOT NULL,
    digest text NOT NULL,
    submitted_by text NOT NULL,
    submitted_by_name text NOT NULL,
    submitted_at_us bigint NOT NULL,
    submitted_day date NOT NULL,
    attested_by text NOT NULL,
    attested_by_name text NOT NULL,
    attested_digest text NOT NULL,
    attested_at_us bigint NOT NULL,
    attested_day date,
    approved_by_name text NOT NULL
);
CREATE INDEX submissions_by_school ON submissions (school, submission);
CREATE INDEX submissions_by_state ON submissions (state, submission);

-- An upload's receipt, its report, and, for a set time, the sealed file.
CREATE TABLE imports (
    import uuid PRIMARY KEY,
    school text NOT NULL,
    account text NOT NULL,
    address text NOT NULL,
    at_us bigint NOT NULL,
    content_hash bytea NOT NULL,
    preview boolean NOT NULL,
    report bytea NOT NULL,
    file_sealed bytea
);

CREATE TABLE audit (
    id uuid PRIMARY KEY,
    at_us bigint NOT NULL,
    civil_day date NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    organisation text NOT NULL,
    method text NOT NULL,
    resource text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    request_id text NOT NULL,
    address text NOT NULL
);
CREATE INDEX audit_by_time ON audit (at_us);

CREATE TABLE requests (
    actor text NOT NULL,
    request_id text NOT NULL,
    method text NOT NULL,
    fingerprint bytea NOT NULL,
    response bytea,
    at_us bigint NOT NULL,
    PRIMARY KEY (actor, request_id)
);
CREATE INDEX requests_by_time ON requests (at_us);

-- The change feed.
CREATE TABLE shared_records (
    kind integer NOT NULL,
    record uuid NOT NULL,
    version bigint NOT NULL,
    scope text NOT NULL,
    body bytea NOT NULL,
    at_us bigint NOT NULL,
    PRIMARY KEY (kind, record)
);

CREATE TABLE change_log (
    change uuid PRIMARY KEY,
    -- given after commit
    position bigint UNIQUE,
    kind integer NOT NULL,
    record uuid NOT NULL,
    version bigint NOT NULL,
    scope_before text NOT NULL,
    scope text NOT NULL,
    body bytea NOT NULL,
    at_us bigint NOT NULL,
    UNIQUE (kind, record, version)
);
CREATE INDEX change_log_unsequenced ON change_log (change) WHERE position IS NULL;

CREATE TABLE feed_sequencer (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    history uuid NOT NULL,
    epoch bigint NOT NULL,
    holder uuid NOT NULL,
    lease_until_us bigint NOT NULL,
    next_position bigint NOT NULL
);
