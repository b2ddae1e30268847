-- One text for both engines: SQLite keeps each value in the form it was bound in, whatever the column says.

-- Keys lead with the id, not with the generation: there is one generation nearly always, and a planner without
-- statistics would walk all of it.

-- ── the mirror of what enrollment says, by generation ──────────────────────────────────────────────────────────
CREATE TABLE mirror_state (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    generation bigint NOT NULL,
    last_generation bigint NOT NULL,
    history uuid,
    scope text NOT NULL,
    position bigint NOT NULL,
    change uuid
);
INSERT INTO mirror_state (only_row, generation, last_generation, scope, position) VALUES (1, 0, 0, '', 0);

CREATE TABLE mirror_schools (
    generation bigint NOT NULL,
    school text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    authority text NOT NULL,
    region text NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (school, generation)
);

CREATE TABLE mirror_persons (
    generation bigint NOT NULL,
    person uuid NOT NULL,
    version bigint NOT NULL,
    sex integer NOT NULL,
    birth_date date NOT NULL,
    registry integer NOT NULL,
    digest uuid NOT NULL,
    PRIMARY KEY (person, generation)
);

CREATE TABLE mirror_person_keys (
    generation bigint NOT NULL,
    person uuid NOT NULL,
    person_key uuid NOT NULL,
    kind integer NOT NULL,
    end_recorded date,
    PRIMARY KEY (person, person_key, generation)
);
CREATE INDEX mirror_person_keys_by_key ON mirror_person_keys (person_key, generation);
CREATE INDEX mirror_person_keys_former ON mirror_person_keys (person_key, generation) WHERE kind <> 1;

CREATE TABLE mirror_person_names (
    generation bigint NOT NULL,
    person uuid NOT NULL,
    ordinal integer NOT NULL,
    name text NOT NULL,
    name_comparable text NOT NULL,
    kind integer NOT NULL,
    end_recorded date,
    PRIMARY KEY (person, ordinal, generation)
);

CREATE TABLE mirror_enrollments (
    generation bigint NOT NULL,
    enrollment uuid NOT NULL,
    version bigint NOT NULL,
    school text NOT NULL,
    stage integer NOT NULL,
    claim_key uuid NOT NULL,
    claim_name text NOT NULL,
    sex integer NOT NULL,
    birth_date date NOT NULL,
    person uuid,
    entry_date date NOT NULL,
    approved_day date,
    digest uuid NOT NULL,
    PRIMARY KEY (enrollment, generation)
);
CREATE INDEX mirror_enrollments_by_key ON mirror_enrollments (claim_key, generation);
CREATE INDEX mirror_enrollments_by_person ON mirror_enrollments (person, generation);
CREATE INDEX mirror_enrollments_by_school ON mirror_enrollments (school, generation);

-- Timelines, exploded.
CREATE TABLE mirror_periods (
    generation bigint NOT NULL,
    enrollment uuid NOT NULL,
    ordinal integer NOT NULL,
    from_date date NOT NULL,
    to_date date,
    state integer NOT NULL,
    class_name text NOT NULL,
    major text NOT NULL,
    study_form text NOT NULL,
    household text NOT NULL,
    residence text NOT NULL,
    PRIMARY KEY (enrollment, ordinal, generation)
);

-- What the sweep compares with in one look: the school vouches for this key and name from one day to another.
-- Only persons whom no registry doubts; `to_date` of an open period lies beyond all calendars.
CREATE TABLE vouches (
    generation bigint NOT NULL,
    person_key uuid NOT NULL,
    enrollment uuid NOT NULL,
    ordinal integer NOT NULL,
    person uuid NOT NULL,
    school text NOT NULL,
    name_comparable text NOT NULL,
    from_date date NOT NULL,
    to_date date NOT NULL,
    approved_day date NOT NULL,
    PRIMARY KEY (person_key, enrollment, ordinal, generation)
);
CREATE INDEX vouches_by_person ON vouches (person, generation);

-- Keys whose person differs between two generations and has not been judged since.
CREATE TABLE marked_keys (
    person_key uuid PRIMARY KEY
);

-- ── award lists ────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE award_lists (
    list uuid PRIMARY KEY,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    supplement integer NOT NULL,
    state text NOT NULL,
    submitted boolean NOT NULL,
    submitted_by text NOT NULL,
    submitted_by_name text NOT NULL,
    submitted_day date,
    attested_by_name text NOT NULL,
    attested_digest text NOT NULL,
    attested_day date,
    approved_by_name text NOT NULL,
    created_at_us bigint NOT NULL,
    UNIQUE (school, scheme, term, supplement)
);
CREATE INDEX award_lists_by_school ON award_lists (school, list);

CREATE TABLE award_entries (
    entry uuid PRIMARY KEY,
    list uuid NOT NULL REFERENCES award_lists,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    person_key uuid NOT NULL,
    id_document text NOT NULL,
    id_sealed bytea NOT NULL,
    id_masked text NOT NULL,
    name text NOT NULL,
    name_comparable text NOT NULL,
    sex integer,
    birth_date date,
    -- comma-separated YYYYMM
    months text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    amount_fen bigint NOT NULL,
    month_fen bigint NOT NULL,
    tier text NOT NULL,
    card_sealed bytea,
    card_tail text NOT NULL,
    remark text NOT NULL,
    state text NOT NULL,
    sent_back_reason text NOT NULL,
    content_hash bytea NOT NULL,
    recorded_day date NOT NULL,
    recorded_at_us bigint NOT NULL,
    recorded_by text NOT NULL
);
CREATE UNIQUE INDEX award_entries_once ON award_entries (list, person_key) WHERE state <> 'REMOVED';
CREATE INDEX award_entries_listed ON award_entries (list, name, entry);
CREATE INDEX award_entries_by_key ON award_entries (person_key, scheme, term);

CREATE TABLE imports (
    import uuid PRIMARY KEY,
    school text NOT NULL,
    list uuid NOT NULL,
    account text NOT NULL,
    address text NOT NULL,
    at_us bigint NOT NULL,
    content_hash bytea NOT NULL,
    preview boolean NOT NULL,
    report bytea NOT NULL
);

-- ── reconciliation ─────────────────────────────────────────────────────────────────────────────────────────────
-- One lock row for each key ever seen, made by uploads and mirror alike: a ghost has a key, not a person.
-- The subject is what aid holds things against; it outlives the ids of the source.
CREATE TABLE person_locks (
    person_key uuid PRIMARY KEY,
    subject uuid NOT NULL
);
CREATE INDEX person_locks_by_subject ON person_locks (subject);

CREATE TABLE flags (
    flag uuid PRIMARY KEY,
    rule text NOT NULL,
    -- the entry, or what an omission hangs on
    subject uuid NOT NULL,
    person_subject uuid NOT NULL,
    entry uuid REFERENCES award_entries,
    list uuid,
    person uuid,
    school text NOT NULL,
    scheme text NOT NULL,
    term text NOT NULL,
    name text NOT NULL,
    months text NOT NULL,
    amount_fen bigint NOT NULL,
    evidence text NOT NULL,
    evidence_digest bytea NOT NULL,
    cause uuid NOT NULL,
    cause_text text NOT NULL,
    state text NOT NULL,
    holds boolean NOT NULL,
    judged_position bigint NOT NULL,
    judged_at_us bigint NOT NULL,
    opened_at_us bigint NOT NULL,
    steps integer NOT NULL,
    UNIQUE (rule, subject)
);
CREATE INDEX flags_by_entry ON flags (entry);
CREATE INDEX flags_by_person_subject ON flags (person_subject);
CREATE INDEX flags_by_school ON flags (school, flag);
CREATE INDEX flags_by_cause ON flags (cause);
CREATE INDEX flags_not_closed ON flags (rule) WHERE state <> 'CLOSED';

CREATE TABLE flag_steps (
    flag uuid NOT NULL REFERENCES flags,
    ordinal integer NOT NULL,
    at_us bigint NOT NULL,
    civil_day date NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    act text NOT NULL,
    detail text NOT NULL,
    evidence text NOT NULL,
    PRIMARY KEY (flag, ordinal)
);

-- Keys whose judgement changes by time alone.
CREATE TABLE rejudge (
    person_key uuid PRIMARY KEY,
    at_day date NOT NULL
);
CREATE INDEX rejudge_by_day ON rejudge (at_day);

-- The civil day up to which due dates have been looked at, and the policies they were looked at under.
CREATE TABLE woken (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    through_day date NOT NULL,
    policy uuid NOT NULL
);

CREATE TABLE runs (
    run uuid PRIMARY KEY,
    state text NOT NULL,
    term text NOT NULL,
    region text NOT NULL,
    judged integer NOT NULL,
    suspects integer NOT NULL,
    started_at_us bigint NOT NULL,
    ended_at_us bigint NOT NULL,
    position bigint NOT NULL,
    actor text NOT NULL
);

-- What other capabilities may join with: months of entries that count, and periods of the present generation.
CREATE VIEW award_claims AS
    SELECT entry, list, school, scheme, term, person_key, name_comparable, first_day, last_day, state FROM award_entries WHERE state <> 'REMOVED';

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
