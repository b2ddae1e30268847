//! SQL of places and periods.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_bridge::Kind;
use xuezhu_domain::enrollment::State;
use xuezhu_service::Context;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

/// The kind of shared record whose versions say what was known when.
const KIND: i32 = Kind::Enrollment as i32;

/// An enrollment, locked.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LockedRow {
    pub state: i32,
    pub person: Option<Uuid>,
    pub id_document: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_date: NaiveDate,
    pub class_name: String,
    pub major: String,
    pub etag: i64,
    /// First day of the last period that stands.
    pub last_from: Option<NaiveDate>,
}

/// A part of the story, as it stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PeriodRow {
    pub from_date: NaiveDate,
    pub state: i32,
    pub class_name: String,
    pub major: String,
}

/// An enrollment that gets its person and its place.
#[derive(Debug, Serialize)]
pub struct Placed {
    pub enrollment: Hex,
    pub person: Hex,
    pub entry_date: NaiveDate,
}

/// A change of what is dated; what is not said stays.
#[derive(Debug, Serialize)]
pub struct Moved {
    pub enrollment: Hex,
    pub from_date: NaiveDate,
    pub state: Option<i32>,
    pub class_name: Option<String>,
    pub major: Option<String>,
    pub household: Option<String>,
    pub residence: Option<String>,
    pub registered_region: Option<String>,
    pub urban_rural: Option<String>,
    pub special_groups: Option<String>,
    pub reason: Option<String>,
}

/// Locks an enrollment and reads it. Two statements where writers don't take turns anyway: what waited for the lock would else be read
/// as it was before.
pub async fn lock(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<Option<LockedRow>, StoreError> {
    if !tx.is_sqlite() {
        one!(&mut *tx, (Uuid,), "SELECT enrollment FROM enrollments WHERE school = $1 AND enrollment = $2 FOR UPDATE", school, enrollment)?;
    }
    one!(
        tx,
        LockedRow,
        "SELECT state, person, id_document, sex, birth_date, entry_date, class_name, major, etag,
                (SELECT max(p.from_date) FROM periods p WHERE p.enrollment = enrollments.enrollment AND p.until_version IS NULL) AS last_from
         FROM enrollments WHERE school = $1 AND enrollment = $2",
        school,
        enrollment
    )
}

pub async fn periods(tx: &mut Tx, enrollment: Uuid) -> Result<Vec<PeriodRow>, StoreError> {
    rows!(
        tx,
        PeriodRow,
        "SELECT from_date, state, class_name, major FROM periods WHERE enrollment = $1 AND until_version IS NULL ORDER BY from_date",
        enrollment
    )
}

/// The enrollment at which a person has the one valid place.
pub async fn of_person(tx: &mut Tx, person: Uuid) -> Result<Option<Uuid>, StoreError> {
    Ok(one!(tx, (Uuid,), "SELECT enrollment FROM places WHERE person = $1", person)?.map(|(enrollment,)| enrollment))
}

/// Whether a person is, or is to be, enrolled somewhere else after a day.
pub async fn is_enrolled_beyond(tx: &mut Tx, person: Uuid, enrollment: Uuid, day: NaiveDate) -> Result<bool, StoreError> {
    let enrolled = one!(
        tx,
        (i32,),
        "SELECT 1 FROM enrollments e JOIN periods pe ON pe.enrollment = e.enrollment
         WHERE e.person = $1 AND e.enrollment <> $2 AND pe.until_version IS NULL AND pe.state < $4 AND (pe.to_date IS NULL OR pe.to_date > $3) LIMIT 1",
        person,
        enrollment,
        day,
        State::FIRST_FINAL
    )?;
    Ok(enrolled.is_some())
}

/// Gives persons their places, and each its first period. Returns how many rows were there to be given one: those that are submitted.
pub async fn take(tx: &mut Tx, placed: &[Placed], now_us: i64, today: NaiveDate, account: &str) -> Result<u64, StoreError> {
    let bulk = bulk_rows(placed);
    run!(tx, sql!("INSERT INTO places (person, enrollment) SELECT t.person, t.enrollment FROM " table 1 (person uuid, enrollment uuid)), &bulk)?;
    let taken = run!(
        tx,
        sql!(
            "UPDATE enrollments SET state = $4, person = t.person, entry_date = t.entry_date, state_since = t.entry_date, approved_day = $3, refusal = '',
             updated_at_us = $2, etag = etag + 1 FROM " table 1 (enrollment uuid, person uuid, entry_date date)
            " WHERE enrollments.enrollment = t.enrollment AND enrollments.state IN ($5, $6)"
        ),
        &bulk,
        now_us,
        today,
        State::InSchool.code(),
        State::Submitted.code(),
        State::Attested.code()
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO periods (enrollment, period, from_date, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups, reason, recorded_day, recorded_by,
                                  recorded_at_us, version)
             SELECT e.enrollment, 1, e.entry_date, e.state, e.class_name, e.major, e.study_form, e.household, e.residence, e.registered_region, e.urban_rural, e.special_groups, '入学', $3, $4, $2,
                    coalesce((SELECT s.version FROM shared_records s WHERE s.kind = $5 AND s.record = e.enrollment), 0) + 1
             FROM " table 1 (enrollment uuid) " JOIN enrollments e ON e.enrollment = t.enrollment"
        ),
        &bulk,
        now_us,
        today,
        account,
        KIND
    )?;
    Ok(taken)
}

/// Ends the last period the day before, and begins another: both are known from the next version on, and what they replace until it. One
/// that begins on the same day takes the place of the last. Returns how many were begun: none where the last period begins later.
pub async fn change(ctx: &Context, tx: &mut Tx, moved: &[Moved]) -> Result<u64, StoreError> {
    let rows = bulk_rows(moved);
    run!(
        tx,
        sql!(
            "INSERT INTO periods (enrollment, period, from_date, to_date, state, class_name, major, study_form, household, residence,
                                  registered_region, urban_rural, special_groups, reason, recorded_day, recorded_by, recorded_at_us, version)
             SELECT p.enrollment, (SELECT max(m.period) FROM periods m WHERE m.enrollment = p.enrollment) + part.nth,
                    CASE part.nth WHEN 1 THEN p.from_date ELSE t.from_date END, CASE part.nth WHEN 1 THEN t.from_date END,
                    CASE part.nth WHEN 1 THEN p.state ELSE coalesce(t.state, p.state) END,
                    CASE part.nth WHEN 1 THEN p.class_name ELSE coalesce(t.class_name, p.class_name) END,
                    CASE part.nth WHEN 1 THEN p.major ELSE coalesce(t.major, p.major) END,
                    p.study_form,
                    CASE part.nth WHEN 1 THEN p.household ELSE coalesce(t.household, p.household) END,
                    CASE part.nth WHEN 1 THEN p.residence ELSE coalesce(t.residence, p.residence) END,
                    CASE part.nth WHEN 1 THEN p.registered_region ELSE coalesce(t.registered_region, p.registered_region) END,
                    CASE part.nth WHEN 1 THEN p.urban_rural ELSE coalesce(t.urban_rural, p.urban_rural) END,
                    CASE part.nth WHEN 1 THEN p.special_groups ELSE coalesce(t.special_groups, p.special_groups) END,
                    CASE part.nth WHEN 1 THEN p.reason ELSE coalesce(t.reason, p.reason) END, CASE part.nth WHEN 1 THEN p.recorded_day ELSE $2 END,
                    CASE part.nth WHEN 1 THEN p.recorded_by ELSE $3 END, CASE part.nth WHEN 1 THEN p.recorded_at_us ELSE $4 END,
                    (SELECT s.version FROM shared_records s WHERE s.kind = $5 AND s.record = p.enrollment) + 1
             FROM " table 1 (enrollment uuid, from_date date, state integer, class_name text, major text, household text, residence text,
                registered_region text, urban_rural text, special_groups text, reason text)
            " JOIN periods p ON p.enrollment = t.enrollment AND p.until_version IS NULL AND p.to_date IS NULL AND p.from_date <= t.from_date
             JOIN (SELECT 1 AS nth UNION ALL SELECT 2) AS part ON part.nth = 2 OR p.from_date < t.from_date"
        ),
        &rows,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us(),
        KIND
    )?;
    let begun = run!(
        tx,
        sql!(
            "UPDATE periods SET until_version = s.version + 1
             FROM " table 1 (enrollment uuid, from_date date) " JOIN shared_records s ON s.kind = $2 AND s.record = t.enrollment
             WHERE periods.enrollment = t.enrollment AND periods.until_version IS NULL AND periods.to_date IS NULL AND periods.from_date <= t.from_date
               AND periods.version <= s.version"
        ),
        &rows,
        KIND
    )?;
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET state = coalesce(t.state, enrollments.state), class_name = coalesce(t.class_name, enrollments.class_name),
             major = coalesce(t.major, enrollments.major), household = coalesce(t.household, enrollments.household),
             residence = coalesce(t.residence, enrollments.residence), registered_region = coalesce(t.registered_region, enrollments.registered_region),
             urban_rural = coalesce(t.urban_rural, enrollments.urban_rural), special_groups = coalesce(t.special_groups, enrollments.special_groups),
             state_since = CASE WHEN t.state IS NULL THEN enrollments.state_since ELSE t.from_date END,
             updated_at_us = $2, etag = etag + 1
             FROM " table 1 (enrollment uuid, from_date date, state integer, class_name text, major text, household text, residence text,
                registered_region text, urban_rural text, special_groups text) " WHERE enrollments.enrollment = t.enrollment"
        ),
        &rows,
        ctx.now_us()
    )?;
    Ok(begun)
}

pub async fn free(tx: &mut Tx, enrollments: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM places WHERE enrollment" in_uuids 1), bulk_uuids(enrollments.iter().copied()))?;
    Ok(())
}

pub async fn take_again(tx: &mut Tx, person: Uuid, enrollment: Uuid) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO places (person, enrollment) VALUES ($1, $2)", person, enrollment)?;
    Ok(())
}

/// Takes the last period out of the story, keeps it with who took it back, and lets the one before go on.
pub async fn take_back(ctx: &Context, tx: &mut Tx, enrollment: Uuid, from: NaiveDate, reason: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO periods (enrollment, period, from_date, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups, reason, recorded_day, recorded_by,
                              recorded_at_us, version)
         SELECT p.enrollment, (SELECT max(m.period) FROM periods m WHERE m.enrollment = p.enrollment) + 1, p.from_date, p.state, p.class_name, p.major,
                p.study_form, p.household, p.residence, p.registered_region, p.urban_rural, p.special_groups, p.reason, p.recorded_day, p.recorded_by, p.recorded_at_us, s.version + 1
         FROM periods p JOIN shared_records s ON s.kind = $3 AND s.record = p.enrollment
         WHERE p.enrollment = $1 AND p.until_version IS NULL AND p.to_date = $2",
        enrollment,
        from,
        KIND
    )?;
    run!(
        tx,
        "UPDATE periods SET until_version = (SELECT s.version FROM shared_records s WHERE s.kind = $3 AND s.record = periods.enrollment) + 1
         WHERE enrollment = $1 AND until_version IS NULL AND to_date = $2",
        enrollment,
        from,
        KIND
    )?;
    run!(
        tx,
        "UPDATE periods SET until_version = (SELECT s.version FROM shared_records s WHERE s.kind = $3 AND s.record = periods.enrollment) + 1,
                until_by = $4, until_reason = $5, until_day = $6
         WHERE enrollment = $1 AND until_version IS NULL AND to_date IS NULL AND from_date = $2",
        enrollment,
        from,
        KIND,
        &ctx.actor.account,
        reason,
        ctx.today()
    )?;
    Ok(())
}

/// What the enrollment has of the period that goes on, for lists.
pub async fn set_present(ctx: &Context, tx: &mut Tx, enrollment: Uuid, period: &PeriodRow, since: NaiveDate) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE enrollments SET state = $2, state_since = $3, class_name = $4, major = $5, updated_at_us = $6, etag = etag + 1 WHERE enrollment = $1",
        enrollment,
        period.state,
        since,
        &period.class_name,
        &period.major,
        ctx.now_us()
    )?;
    Ok(())
}

/// Closes all that stands, and says instead that it never was.
pub async fn void(ctx: &Context, tx: &mut Tx, enrollment: Uuid, state: State, reason: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE periods SET until_version = (SELECT s.version FROM shared_records s WHERE s.kind = $2 AND s.record = periods.enrollment) + 1
         WHERE enrollment = $1 AND until_version IS NULL",
        enrollment,
        KIND
    )?;
    run!(
        tx,
        "INSERT INTO periods (enrollment, period, from_date, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups, reason, recorded_day, recorded_by,
                              recorded_at_us, version)
         SELECT e.enrollment, (SELECT max(m.period) FROM periods m WHERE m.enrollment = e.enrollment) + 1, e.entry_date, $2, e.class_name, e.major,
                e.study_form, e.household, e.residence, e.registered_region, e.urban_rural, e.special_groups, $3, $4, $5, $6, s.version + 1
         FROM enrollments e JOIN shared_records s ON s.kind = $7 AND s.record = e.enrollment WHERE e.enrollment = $1",
        enrollment,
        state.code(),
        reason,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us(),
        KIND
    )?;
    run!(
        tx,
        "UPDATE enrollments SET state = $2, state_since = entry_date, updated_at_us = $3, etag = etag + 1 WHERE enrollment = $1",
        enrollment,
        state.code(),
        ctx.now_us()
    )?;
    Ok(())
}
