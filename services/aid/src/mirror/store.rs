//! SQL of the mirror.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_bridge::{Cursor, follower::Stand};
use xuezhu_store::{Hex, StoreError, Tx, Uuids, bulk_rows, bulk_uuids, one, rows, run, sql};

/// The number of the source that is followed: the configured enrollment service. A generation is of one source, for all sources draw
/// the numbers of their generations from one row of numbers: whoever reads a generation reads one source's words.
pub(super) const SOURCE: i16 = 1;

/// Where the mirror stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StateRow {
    /// Present generation.
    pub generation: i64,
    /// The generation that was begun last.
    pub last_generation: i64,
    /// History of the source; none before the first snapshot.
    pub history: Option<Uuid>,
    /// Scope that is followed.
    pub scope: String,
    /// Position of the cursor.
    pub position: i64,
    /// Change there.
    pub change: Option<Uuid>,
    /// Format that the source answered in.
    pub format: i32,
    /// Whether something that the source forgot is not settled.
    pub remembers: bool,
}

/// A school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SchoolRow {
    /// Code.
    pub school: String,
    /// Name.
    pub name: String,
    /// Region code of its department.
    pub authority: String,
}

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

/// Where the mirror stands.
pub async fn state(tx: &mut Tx) -> Result<StateRow, StoreError> {
    one!(
        tx,
        StateRow,
        "SELECT generation, last_generation, history, scope, position, change, format, EXISTS (SELECT 1 FROM forgotten WHERE state = 1) AS remembers
         FROM mirror_state WHERE source = $1",
        SOURCE
    )?
    .ok_or(StoreError::Corrupt("mirror state"))
}

/// The same, held against a switch to another generation until the transaction ends. The follower's own moves of the
/// cursor go on beside it.
pub async fn held_state(tx: &mut Tx) -> Result<StateRow, StoreError> {
    one!(
        tx,
        StateRow,
        sql!(
            "SELECT generation, last_generation, history, scope, position, change, format, EXISTS (SELECT 1 FROM forgotten WHERE state = 1) AS remembers
             FROM mirror_state WHERE source = $1" only(sqlite "", postgres " FOR KEY SHARE")
        ),
        SOURCE
    )?
    .ok_or(StoreError::Corrupt("mirror state"))
}

/// The same, for a switch: waits for all who hold it.
pub(super) async fn locked_state(tx: &mut Tx) -> Result<StateRow, StoreError> {
    one!(
        tx,
        StateRow,
        sql!(
            "SELECT generation, last_generation, history, scope, position, change, format, EXISTS (SELECT 1 FROM forgotten WHERE state = 1) AS remembers
             FROM mirror_state WHERE source = $1" only(sqlite "", postgres " FOR UPDATE")
        ),
        SOURCE
    )?
    .ok_or(StoreError::Corrupt("mirror state"))
}

/// A number above that of every generation that any source ever began.
pub(super) async fn next_generation(tx: &mut Tx) -> Result<i64, StoreError> {
    let next = one!(
        tx,
        (i64,),
        "UPDATE mirror_state SET last_generation = (SELECT max(last_generation) FROM mirror_state) + 1 WHERE source = $1 RETURNING last_generation",
        SOURCE
    )?;
    next.map(|(generation,)| generation).ok_or(StoreError::Corrupt("mirror state"))
}

/// Moves the cursor, if it stands where the follower thinks: compare and set. Returns the mirror as it then stands.
pub(super) async fn move_cursor(tx: &mut Tx, from: &Cursor, to: &Cursor) -> Result<Option<StateRow>, StoreError> {
    one!(
        tx,
        StateRow,
        "UPDATE mirror_state SET position = $1, change = $2 WHERE history = $3 AND position = $4 AND coalesce(change, $6) = $5 AND source = $7
         RETURNING generation, last_generation, history, scope, position, change, format,
                   EXISTS (SELECT 1 FROM forgotten WHERE forgotten.state = 1) AS remembers",
        to.position,
        to.change,
        from.history,
        from.position,
        from.change,
        Uuid::nil(),
        SOURCE
    )
}

/// Notes that a lane goes ahead of the cursor, if that stands where the follower thinks. Returns the mirror as this lane sees
/// it: with all that the batch says of whom the lane is about.
pub(super) async fn enter_lane(tx: &mut Tx, lane: i32, from: &Cursor, to: &Cursor) -> Result<Option<StateRow>, StoreError> {
    let mirror = held_state(tx).await?;
    if mirror.history != Some(from.history) || mirror.position != from.position || mirror.change.unwrap_or_default() != from.change {
        return Ok(None);
    }
    run!(
        tx,
        "INSERT INTO mirror_lanes (lane, position, change) VALUES ($1, $2, $3)
         ON CONFLICT (lane) DO UPDATE SET position = excluded.position, change = excluded.change",
        lane,
        to.position,
        to.change
    )?;
    Ok(Some(StateRow { position: to.position, change: Some(to.change), ..mirror }))
}

/// The position and change that the farthest lane reached, if that is ahead of the cursor.
pub(super) async fn lane_ahead(tx: &mut Tx, position: i64) -> Result<Option<(i64, Uuid)>, StoreError> {
    one!(tx, (i64, Uuid), "SELECT position, change FROM mirror_lanes WHERE position > $1 ORDER BY position DESC LIMIT 1", position)
}

pub(super) async fn switch(tx: &mut Tx, generation: i64, at: &Stand) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE mirror_state SET generation = $1, history = $2, scope = $3, position = $4, change = $5, format = $6 WHERE source = $7",
        generation,
        at.cursor.history,
        &at.cursor.scope,
        at.cursor.position,
        at.cursor.change,
        at.format,
        SOURCE
    )?;
    run!(tx, "DELETE FROM mirror_lanes")?;
    run!(tx, "DELETE FROM mirror_loading")?;
    Ok(())
}

/// Notes the format that the source answers in.
pub(super) async fn note_format(tx: &mut Tx, format: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE mirror_state SET format = $1 WHERE source = $2", format, SOURCE)?;
    Ok(())
}

/// A generation that is being loaded.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct LoadingRow {
    pub generation: i64,
    pub history: Uuid,
    pub scope: String,
    pub position: i64,
    pub change: Uuid,
    pub format: i32,
    pub after_kind: i32,
    pub after_record: Uuid,
}

pub(super) async fn loading(tx: &mut Tx) -> Result<Option<LoadingRow>, StoreError> {
    one!(tx, LoadingRow, "SELECT generation, history, scope, position, change, format, after_kind, after_record FROM mirror_loading")
}

pub(super) async fn begin_loading(tx: &mut Tx, generation: i64, at: &Stand) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM mirror_loading")?;
    run!(
        tx,
        "INSERT INTO mirror_loading (only_row, generation, history, scope, position, change, format, after_kind, after_record) VALUES (1, $1, $2, $3, $4, $5, $6, 0, $7)",
        generation,
        at.cursor.history,
        &at.cursor.scope,
        at.cursor.position,
        at.cursor.change,
        at.format,
        Uuid::nil()
    )?;
    Ok(())
}

pub(super) async fn note_loaded(tx: &mut Tx, generation: i64, kind: i32, record: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE mirror_loading SET after_kind = $2, after_record = $3 WHERE generation = $1", generation, kind, record)?;
    Ok(())
}

pub(super) async fn give_up_loading(tx: &mut Tx) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM mirror_loading")?;
    Ok(())
}

/// A record of one generation that another does not hold as it is. Both are compared in the fields of the formats in which both were
/// told, here as at a switch: what only one was told says nothing about the other.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct DoubtRow {
    pub record: Uuid,
    pub change: Option<Uuid>,
    pub recorded_at_us: i64,
    pub version: i64,
    pub version_now: Option<i64>,
    /// Whether the other generation says the same, under whatever id and version.
    pub said: bool,
}

/// Persons of one generation whom the other does not hold as they are.
pub(super) async fn persons_in_doubt(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<DoubtRow>, StoreError> {
    rows!(
        tx,
        DoubtRow,
        "SELECT p.person AS record, p.change, p.recorded_at_us, p.version, n.version AS version_now,
                (coalesce(n.digest = p.digest AND substr(n.later, 1, length(p.later)) = substr(p.later, 1, length(n.later)), false) OR EXISTS (
                    SELECT 1 FROM mirror_person_keys k JOIN mirror_person_keys o ON o.person_key = k.person_key AND o.generation = $2
                    JOIN mirror_persons s ON s.person = o.person AND s.generation = $2
                    WHERE k.person = p.person AND k.generation = $1 AND s.digest = p.digest
                      AND substr(s.later, 1, length(p.later)) = substr(p.later, 1, length(s.later)))) AS said
         FROM mirror_persons p LEFT JOIN mirror_persons n ON n.person = p.person AND n.generation = $2
         WHERE p.generation = $1 AND (n.person IS NULL OR n.change IS NULL OR p.change IS NULL OR n.change <> p.change)",
        old,
        new
    )
}

/// Enrollments of one generation that the other does not hold as they are.
pub(super) async fn enrollments_in_doubt(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<DoubtRow>, StoreError> {
    rows!(
        tx,
        DoubtRow,
        "SELECT e.enrollment AS record, e.change, e.recorded_at_us, e.version, n.version AS version_now,
                (coalesce(n.digest = e.digest AND substr(n.later, 1, length(e.later)) = substr(e.later, 1, length(n.later)), false) OR EXISTS (
                    SELECT 1 FROM mirror_enrollments s WHERE s.claim_key = e.claim_key AND s.generation = $2 AND s.story = e.story
                      AND substr(s.later, 1, length(e.later)) = substr(e.later, 1, length(s.later)))) AS said
         FROM mirror_enrollments e LEFT JOIN mirror_enrollments n ON n.enrollment = e.enrollment AND n.generation = $2
         WHERE e.generation = $1 AND (n.enrollment IS NULL OR n.change IS NULL OR e.change IS NULL OR n.change <> e.change)",
        old,
        new
    )
}

/// Schools of one generation that the other does not hold as they are: code beside what a doubt says.
pub(super) async fn schools_in_doubt(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<(String, Option<Uuid>, i64, i64, Option<i64>, bool)>, StoreError> {
    rows!(
        tx,
        (String, Option<Uuid>, i64, i64, Option<i64>, bool),
        "SELECT s.school, s.change, s.recorded_at_us, s.version, n.version,
                coalesce(n.name = s.name AND n.kind = s.kind AND n.authority = s.authority AND n.region = s.region AND n.state = s.state, false)
         FROM mirror_schools s LEFT JOIN mirror_schools n ON n.school = s.school AND n.generation = $2
         WHERE s.generation = $1 AND (n.school IS NULL OR n.change IS NULL OR s.change IS NULL OR n.change <> s.change)",
        old,
        new
    )
}

/// Drops what the source said in its other generations; what other sources say stays.
pub(super) async fn drop_other_generations(tx: &mut Tx, generation: i64) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM mirror_schools WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_persons WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_person_keys WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_person_names WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_enrollments WHERE generation <> $1 AND source = $2",
        "DELETE FROM mirror_periods WHERE generation <> $1 AND source = $2",
        "DELETE FROM vouches WHERE generation <> $1 AND source = $2",
    ] {
        run!(tx, statement, generation, SOURCE)?;
    }
    Ok(())
}

/// Marks the keys of every person and enrollment that is in one generation and not, or otherwise, in the other, as far as both were told.
pub(super) async fn mark_differences(tx: &mut Tx, old: i64, new: i64) -> Result<u64, StoreError> {
    let persons = run!(
        tx,
        "INSERT INTO marked_keys (person_key)
         SELECT DISTINCT k.person_key FROM mirror_person_keys k JOIN mirror_persons p ON p.generation = k.generation AND p.person = k.person
         WHERE k.generation IN ($1, $2) AND NOT EXISTS (
             SELECT 1 FROM mirror_person_keys ok JOIN mirror_persons op ON op.generation = ok.generation AND op.person = ok.person
             WHERE ok.generation = CASE WHEN k.generation = $1 THEN $2 ELSE $1 END AND ok.person_key = k.person_key AND op.digest = p.digest
               AND substr(op.later, 1, length(p.later)) = substr(p.later, 1, length(op.later)))
         ON CONFLICT DO NOTHING",
        old,
        new
    )?;
    let enrollments = run!(
        tx,
        "INSERT INTO marked_keys (person_key)
         SELECT DISTINCT coalesce(k.person_key, e.claim_key) FROM mirror_enrollments e
         LEFT JOIN mirror_person_keys k ON k.generation = e.generation AND k.person = e.person
         WHERE e.generation IN ($1, $2) AND NOT EXISTS (
             SELECT 1 FROM mirror_enrollments oe
             WHERE oe.generation = CASE WHEN e.generation = $1 THEN $2 ELSE $1 END AND oe.claim_key = e.claim_key AND oe.digest = e.digest
               AND substr(oe.later, 1, length(e.later)) = substr(e.later, 1, length(oe.later)))
         ON CONFLICT DO NOTHING",
        old,
        new
    )?;
    Ok(persons + enrollments)
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

/// What a school vouches for: a key and a name, from one day to another.
#[derive(Debug, Serialize)]
pub(super) struct VouchRow {
    pub person_key: Hex,
    pub enrollment: Hex,
    pub ordinal: i32,
    pub person: Hex,
    pub school: String,
    pub name_comparable: String,
    pub from_date: NaiveDate,
    pub to_date: NaiveDate,
    pub approved_day: NaiveDate,
}

/// What vouches are made of.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct GroundRow {
    /// One of [`Ground`].
    pub what: i32,
    /// The person, or the enrollment of a place or a period.
    pub of: Uuid,
    /// Of a place the person, of a key itself.
    pub id: Option<Uuid>,
    /// Of a place the school, of a name itself, comparable.
    pub text: Option<String>,
    pub ordinal: Option<i32>,
    /// Of a place the day of approval.
    pub from_date: Option<NaiveDate>,
    pub to_date: Option<NaiveDate>,
}

/// A person whom no registry doubts, their present key, their present name, a place that was approved, a part of it in school.
pub(super) enum Ground {
    Undoubted = 1,
    Key = 2,
    Name = 3,
    Place = 4,
    Period = 5,
}

/// What the vouches of these persons are made of. Each table is read by its own index, whatever a planner believes of the others.
pub(super) async fn grounds(tx: &mut Tx, generation: i64, persons: &Uuids) -> Result<Vec<GroundRow>, StoreError> {
    rows!(
        tx,
        GroundRow,
        sql!(
            "SELECT 1 AS what, person AS of, CAST(NULL AS uuid) AS id, CAST(NULL AS text) AS text, CAST(NULL AS integer) AS ordinal,
                    CAST(NULL AS date) AS from_date, CAST(NULL AS date) AS to_date
             FROM mirror_persons WHERE generation = $2 AND registry IN (1, 2) AND person" in_uuids 1
            " UNION ALL SELECT 2, person, person_key, NULL, NULL, NULL, NULL FROM mirror_person_keys WHERE generation = $2 AND kind = 1 AND person" in_uuids 1
            " UNION ALL SELECT 3, person, NULL, name_comparable, NULL, NULL, NULL FROM mirror_person_names WHERE generation = $2 AND kind = 1 AND person" in_uuids 1
            " UNION ALL SELECT 4, enrollment, person, school, NULL, approved_day, NULL FROM mirror_enrollments WHERE generation = $2 AND stage = 3 AND person" in_uuids 1
            " UNION ALL SELECT 5, enrollment, NULL, NULL, ordinal, from_date, to_date FROM mirror_periods WHERE generation = $2 AND state = 1 AND enrollment "
            only(sqlite "IN (SELECT enrollment FROM mirror_enrollments WHERE generation = $2 AND stage = 3 AND person",
                 postgres "= ANY(ARRAY(SELECT enrollment FROM mirror_enrollments WHERE generation = $2 AND stage = 3 AND person")
            in_uuids 1 only(sqlite ")", postgres "))")
        ),
        persons,
        generation
    )
}

/// Replaces the vouches of these persons.
pub(super) async fn replace_vouches(tx: &mut Tx, generation: i64, persons: &Uuids, vouches: &[VouchRow]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM vouches WHERE generation = $2 AND person" in_uuids 1), persons, generation)?;
    run!(
        tx,
        sql!(
            "INSERT INTO vouches (source, generation, person_key, enrollment, ordinal, person, school, name_comparable, from_date, to_date, approved_day)
             SELECT $3, $2, t.person_key, t.enrollment, t.ordinal, t.person, t.school, t.name_comparable, t.from_date, t.to_date, t.approved_day
             FROM " table 1 (person_key uuid, enrollment uuid, ordinal integer, person uuid, school text, name_comparable text, from_date date, to_date date, approved_day date)
        ),
        bulk_rows(vouches),
        generation,
        SOURCE
    )?;
    Ok(())
}

/// A school of the present generation.
pub async fn school(tx: &mut Tx, code: &str) -> Result<Option<SchoolRow>, StoreError> {
    one!(
        tx,
        SchoolRow,
        "SELECT s.school, s.name, s.authority FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school = $1",
        code
    )
}

/// Names of schools of the present generation.
pub async fn school_names(tx: &mut Tx, codes: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    rows!(
        tx,
        (String, String),
        sql!("SELECT s.school, s.name FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school" in_texts 1),
        xuezhu_store::bulk_texts(codes)
    )
}
