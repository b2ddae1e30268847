//! SQL of what was told.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

use crate::mirror::SOURCE;

#[derive(Debug, Clone, Serialize)]
pub(super) struct SchoolRecord {
    pub school: String,
    pub version: i64,
    pub change: Option<Hex>,
    pub recorded_at_us: i64,
    pub name: String,
    pub kind: String,
    pub authority: String,
    pub region: String,
    pub state: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PersonRow {
    pub person: Hex,
    pub version: i64,
    pub change: Option<Hex>,
    pub recorded_at_us: i64,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub registry: i32,
    pub digest: Hex,
    pub later: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct KeyRow {
    pub person: Hex,
    pub person_key: Hex,
    pub kind: i32,
    pub end_recorded: Option<NaiveDate>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct NameRow {
    pub person: Hex,
    pub ordinal: i32,
    pub name: String,
    pub name_comparable: String,
    pub kind: i32,
    pub end_recorded: Option<NaiveDate>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct EnrollmentRow {
    pub enrollment: Hex,
    pub version: i64,
    pub change: Option<Hex>,
    pub recorded_at_us: i64,
    pub story: Hex,
    pub school: String,
    pub stage: i32,
    pub claim_key: Hex,
    pub claim_name: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub person: Option<Hex>,
    pub entry_date: NaiveDate,
    pub approved_day: Option<NaiveDate>,
    pub claimed_day: Option<NaiveDate>,
    pub digest: Hex,
    pub later: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PeriodRow {
    pub enrollment: Hex,
    pub ordinal: i32,
    pub from_date: NaiveDate,
    pub to_date: Option<NaiveDate>,
    pub state: i32,
    pub class_name: String,
    pub major: String,
    pub study_form: String,
    pub household: String,
    pub residence: String,
    pub registered_region: String,
    pub urban_rural: String,
    pub special_groups: String,
}

/// How many students enrollment counted at a school.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HeadCountRow {
    pub school: String,
    pub version: i64,
    pub recorded_at_us: i64,
    pub day: NaiveDate,
    pub history: Hex,
    pub position: i64,
    pub records: i64,
    pub versions: i64,
    /// Years of entry and majors, as JSON.
    pub groups: String,
}

/// Drops what the source said in its other generations; what other sources say stays.
pub(super) async fn drop_others(tx: &mut Tx, generation: i64) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM mirror_schools WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_persons WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_person_keys WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_person_names WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_enrollments WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_periods WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_head_counts WHERE generation <> $1 AND source = $2",
    ] {
        run!(tx, statement, generation, SOURCE)?;
    }
    Ok(())
}

/// Those of these schools that are not known, or as ones that lie elsewhere, or are somebody else's.
pub(super) async fn moving(tx: &mut Tx, generation: i64, schools: &[SchoolRecord]) -> Result<Vec<String>, StoreError> {
    if schools.is_empty() {
        return Ok(Vec::new());
    }
    let codes = rows!(
        tx,
        (String,),
        sql!(
            "SELECT t.school FROM " table 1 (school text, version bigint, kind text, region text)
            " LEFT JOIN mirror_schools s ON s.generation = $2 AND s.school = t.school
             WHERE s.school IS NULL OR (t.version > s.version AND (s.kind <> t.kind OR s.region <> t.region))"
        ),
        bulk_rows(schools),
        generation
    )?;
    Ok(codes.into_iter().map(|(code,)| code).collect())
}

pub(super) async fn upsert_schools(tx: &mut Tx, generation: i64, schools: &[SchoolRecord]) -> Result<(), StoreError> {
    if schools.is_empty() {
        return Ok(());
    }
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_schools (source, generation, school, version, change, recorded_at_us, name, kind, authority, region, state)
             SELECT $3, $2, t.school, t.version, t.change, t.recorded_at_us, t.name, t.kind, t.authority, t.region, t.state
             FROM " table 1 (school text, version bigint, change uuid, recorded_at_us bigint, name text, kind text, authority text, region text, state text) " WHERE true
             ON CONFLICT (generation, school) DO UPDATE SET version = excluded.version, change = excluded.change, recorded_at_us = excluded.recorded_at_us, name = excluded.name, kind = excluded.kind,
             authority = excluded.authority, region = excluded.region, state = excluded.state WHERE excluded.version > mirror_schools.version"
        ),
        bulk_rows(schools),
        generation,
        SOURCE
    )?;
    Ok(())
}

pub(super) async fn upsert_head_counts(tx: &mut Tx, generation: i64, counts: &[HeadCountRow]) -> Result<(), StoreError> {
    if counts.is_empty() {
        return Ok(());
    }
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_head_counts (source, generation, school, version, recorded_at_us, day, history, position, records, versions, groups)
             SELECT $3, $2, t.school, t.version, t.recorded_at_us, t.day, t.history, t.position, t.records, t.versions, t.groups
             FROM " table 1 (school text, version bigint, recorded_at_us bigint, day date, history uuid, position bigint, records bigint, versions bigint, groups text) " WHERE true
             ON CONFLICT (generation, school) DO UPDATE SET version = excluded.version, recorded_at_us = excluded.recorded_at_us, day = excluded.day, history = excluded.history,
             position = excluded.position, records = excluded.records, versions = excluded.versions, groups = excluded.groups
             WHERE excluded.version > mirror_head_counts.version"
        ),
        bulk_rows(counts),
        generation,
        SOURCE
    )?;
    Ok(())
}

/// What a generation holds of a record that a batch tells: its version, or a key that it is found by.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct HeldRow {
    pub record: Uuid,
    pub version: Option<i64>,
    pub key: Option<Uuid>,
}

/// Versions of these persons and enrollments, keys of the persons and claims of the enrollments, as the generation holds them now. Each
/// table by its own index.
pub(super) async fn held(tx: &mut Tx, generation: i64, persons: &[Uuid], enrollments: &[Uuid]) -> Result<Vec<HeldRow>, StoreError> {
    rows!(
        tx,
        HeldRow,
        sql!(
            "SELECT person AS record, version, CAST(NULL AS uuid) AS key FROM mirror_persons WHERE generation = $3 AND person" in_uuids 1
            " UNION ALL SELECT person, CAST(NULL AS bigint), person_key FROM mirror_person_keys WHERE generation = $3 AND person" in_uuids 1
            " UNION ALL SELECT enrollment, version, claim_key FROM mirror_enrollments WHERE generation = $3 AND enrollment" in_uuids 2
        ),
        bulk_uuids(persons.iter().copied()),
        bulk_uuids(enrollments.iter().copied()),
        generation
    )
}

pub(super) async fn replace_persons(
    tx: &mut Tx,
    generation: i64,
    ids: &[Uuid],
    persons: &[PersonRow],
    keys: &[KeyRow],
    names: &[NameRow],
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = bulk_uuids(ids.iter().copied());
    for statement in [
        sql!("DELETE FROM mirror_persons WHERE generation = $2 AND person" in_uuids 1),
        sql!("DELETE FROM mirror_person_keys WHERE generation = $2 AND person" in_uuids 1),
        sql!("DELETE FROM mirror_person_names WHERE generation = $2 AND person" in_uuids 1),
    ] {
        run!(tx, statement, &ids, generation)?;
    }
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_persons (source, generation, person, version, change, recorded_at_us, sex, birth_date, registry, digest, later)
             SELECT $3, $2, t.person, t.version, t.change, t.recorded_at_us, t.sex, t.birth_date, t.registry, t.digest, t.later
             FROM " table 1 (person uuid, version bigint, change uuid, recorded_at_us bigint, sex integer, birth_date date, registry integer, digest uuid, later text)
        ),
        bulk_rows(persons),
        generation,
        SOURCE
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_person_keys (source, generation, person, person_key, kind, end_recorded)
             SELECT $3, $2, t.person, t.person_key, t.kind, t.end_recorded FROM " table 1 (person uuid, person_key uuid, kind integer, end_recorded date)
        ),
        bulk_rows(keys),
        generation,
        SOURCE
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_person_names (source, generation, person, ordinal, name, name_comparable, kind, end_recorded)
             SELECT $3, $2, t.person, t.ordinal, t.name, t.name_comparable, t.kind, t.end_recorded
             FROM " table 1 (person uuid, ordinal integer, name text, name_comparable text, kind integer, end_recorded date)
        ),
        bulk_rows(names),
        generation,
        SOURCE
    )?;
    Ok(())
}

pub(super) async fn replace_enrollments(
    tx: &mut Tx,
    generation: i64,
    ids: &[Uuid],
    enrollments: &[EnrollmentRow],
    periods: &[PeriodRow],
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = bulk_uuids(ids.iter().copied());
    run!(tx, sql!("DELETE FROM mirror_periods WHERE generation = $2 AND enrollment" in_uuids 1), &ids, generation)?;
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_enrollments (source, generation, enrollment, version, change, recorded_at_us, story, school, stage, claim_key, claim_name, sex, birth_date, person,
                                              entry_date, approved_day, claimed_day, digest, later)
             SELECT $3, $2, t.enrollment, t.version, t.change, t.recorded_at_us, t.story, t.school, t.stage, t.claim_key, t.claim_name, t.sex, t.birth_date, t.person,
                    t.entry_date, t.approved_day, t.claimed_day, t.digest, t.later
             FROM " table 1 (enrollment uuid, version bigint, change uuid, recorded_at_us bigint, story uuid, school text, stage integer, claim_key uuid, claim_name text, sex integer, birth_date date,
                person uuid, entry_date date, approved_day date, claimed_day date, digest uuid, later text) " WHERE true
             ON CONFLICT (enrollment, generation) DO UPDATE SET version = excluded.version, change = excluded.change, recorded_at_us = excluded.recorded_at_us,
                story = excluded.story, school = excluded.school, stage = excluded.stage, claim_key = excluded.claim_key, claim_name = excluded.claim_name,
                sex = excluded.sex, birth_date = excluded.birth_date, person = excluded.person, entry_date = excluded.entry_date,
                approved_day = excluded.approved_day, claimed_day = excluded.claimed_day, digest = excluded.digest, later = excluded.later"
        ),
        bulk_rows(enrollments),
        generation,
        SOURCE
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO mirror_periods (source, generation, enrollment, ordinal, from_date, to_date, state, class_name, major, study_form, household, residence,
                registered_region, urban_rural, special_groups)
             SELECT $3, $2, t.enrollment, t.ordinal, t.from_date, t.to_date, t.state, t.class_name, t.major, t.study_form, t.household, t.residence,
                    t.registered_region, t.urban_rural, t.special_groups
             FROM " table 1 (enrollment uuid, ordinal integer, from_date date, to_date date, state integer, class_name text, major text, study_form text,
                household text, residence text, registered_region text, urban_rural text, special_groups text)
        ),
        bulk_rows(periods),
        generation,
        SOURCE
    )?;
    Ok(())
}
