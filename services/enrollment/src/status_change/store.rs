//! SQL of status changes and corrections.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, json_uuids, one, rows, run, sql};

use super::{Correction, Event};

/// An enrollment, locked.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LockedRow {
    pub state: String,
    pub person: Option<Uuid>,
    pub state_since: Option<NaiveDate>,
    pub id_document: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
}

/// A part of the story.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PeriodRow {
    pub from_date: NaiveDate,
    pub to_date: Option<NaiveDate>,
    pub state: i32,
    pub reason: String,
    pub recorded_day: NaiveDate,
}

/// Who a person is now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct IdentityRow {
    pub person_key: Uuid,
    pub id_class: String,
    pub id_sealed: Vec<u8>,
    pub name: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub formal: bool,
}

/// Who a person is, as enrollments claim it.
#[derive(Debug, Clone)]
pub struct Claim {
    pub key: Uuid,
    pub class: String,
    pub name: String,
    pub comparable: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
}

/// What an enrollment keeps sealed, each bound to it.
#[derive(Debug)]
pub struct Sealed {
    pub id: Vec<u8>,
    pub details: Vec<u8>,
}

pub async fn set_sealed(tx: &mut Tx, enrollment: Uuid, sealed: &Sealed, hash: &[u8]) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE enrollments SET id_sealed = $2, details_sealed = $3, content_hash = $4 WHERE enrollment = $1",
        enrollment,
        &sealed.id,
        &sealed.details,
        hash
    )?;
    Ok(())
}

pub async fn lock(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<Option<LockedRow>, StoreError> {
    one!(
        tx,
        LockedRow,
        sql!("SELECT state, person, state_since, id_document, sex, birth_date FROM enrollments WHERE school = $1 AND enrollment = $2" only(sqlite "", postgres " FOR UPDATE")),
        school,
        enrollment
    )
}

pub async fn periods(tx: &mut Tx, enrollment: Uuid) -> Result<Vec<PeriodRow>, StoreError> {
    rows!(tx, PeriodRow, "SELECT from_date, to_date, state, reason, recorded_day FROM enrollment_periods WHERE enrollment = $1 ORDER BY ordinal", enrollment)
}

pub async fn end_period(tx: &mut Tx, enrollment: Uuid, day: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE enrollment_periods SET to_date = $2 WHERE enrollment = $1 AND to_date IS NULL", enrollment, day)?;
    Ok(())
}

pub async fn add_period(ctx: &Context, tx: &mut Tx, event: &Event, state: PeriodState) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO enrollment_periods (enrollment, ordinal, from_date, state, reason, recorded_day, recorded_by, recorded_at_us)
         SELECT $1, max(ordinal) + 1, $2, $3, $4, $5, $6, $7 FROM enrollment_periods WHERE enrollment = $1",
        event.enrollment,
        event.effective,
        state.code(),
        &event.reason,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us()
    )?;
    Ok(())
}

/// Takes the last period out of the story, keeps it with who cancelled it, and lets the one before go on.
pub async fn cancel_last_period(ctx: &Context, tx: &mut Tx, enrollment: Uuid, reason: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO cancelled_changes (id, enrollment, from_date, state, reason, recorded_day, recorded_by, cancel_reason, cancelled_day, cancelled_by, cancelled_at_us)
         SELECT $2, enrollment, from_date, state, reason, recorded_day, recorded_by, $3, $4, $5, $6 FROM enrollment_periods WHERE enrollment = $1 AND to_date IS NULL",
        enrollment,
        ctx.new_id(),
        reason,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us()
    )?;
    run!(tx, "DELETE FROM enrollment_periods WHERE enrollment = $1 AND to_date IS NULL", enrollment)?;
    run!(
        tx,
        "UPDATE enrollment_periods SET to_date = NULL WHERE enrollment = $1
           AND ordinal = (SELECT max(last.ordinal) FROM enrollment_periods last WHERE last.enrollment = $1)",
        enrollment
    )?;
    Ok(())
}

pub async fn take_place(tx: &mut Tx, person: Uuid, enrollment: Uuid) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO places (person, enrollment) VALUES ($1, $2)", person, enrollment)?;
    Ok(())
}

pub async fn set_state(ctx: &Context, tx: &mut Tx, enrollment: Uuid, state: &str, since: NaiveDate) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE enrollments SET state = $2, state_since = $3, updated_at_us = $4, etag = etag + 1 WHERE enrollment = $1",
        enrollment,
        state,
        since,
        ctx.now_us()
    )?;
    Ok(())
}

pub async fn leave_place(tx: &mut Tx, enrollment: Uuid) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM places WHERE enrollment = $1", enrollment)?;
    Ok(())
}

/// Locks a person: what is read of it afterwards is what the last correction left.
pub async fn lock_person(tx: &mut Tx, person: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE persons SET etag = etag WHERE person = $1", person)?;
    Ok(())
}

/// The enrollment at which a person has the one valid place.
pub async fn place_of(tx: &mut Tx, person: Uuid) -> Result<Option<Uuid>, StoreError> {
    Ok(one!(tx, (Uuid,), "SELECT enrollment FROM places WHERE person = $1", person)?.map(|(enrollment,)| enrollment))
}

/// Whether a person is, or is to be, enrolled somewhere else after a day.
pub async fn is_enrolled_beyond(tx: &mut Tx, person: Uuid, enrollment: Uuid, day: NaiveDate) -> Result<bool, StoreError> {
    let enrolled = one!(
        tx,
        (i32,),
        "SELECT 1 FROM enrollments e JOIN enrollment_periods pe ON pe.enrollment = e.enrollment
         WHERE e.person = $1 AND e.enrollment <> $2 AND pe.state <> 3 AND (pe.to_date IS NULL OR pe.to_date > $3) LIMIT 1",
        person,
        enrollment,
        day
    )?;
    Ok(enrolled.is_some())
}

/// Whether another live enrollment of the person's schools claims a key: a draft that would stand in the way.
pub async fn is_claimed_beside(tx: &mut Tx, person: Uuid, key: Uuid) -> Result<bool, StoreError> {
    let claimed = one!(
        tx,
        (i32,),
        "SELECT 1 FROM enrollments other JOIN enrollments own ON own.school = other.school AND own.person = $1
         WHERE other.claim_key = $2 AND other.state <> 'WITHDRAWN' AND (other.person IS NULL OR other.person <> $1) LIMIT 1",
        person,
        key
    )?;
    Ok(claimed.is_some())
}

pub async fn identity(tx: &mut Tx, person: Uuid) -> Result<Option<IdentityRow>, StoreError> {
    one!(
        tx,
        IdentityRow,
        sql!(
            "SELECT k.person_key, k.id_class, k.id_sealed, n.name, p.sex, p.birth_date, p.student_number_formal AS formal
             FROM persons p JOIN person_keys k ON k.person = p.person AND k.kind = 1 JOIN person_names n ON n.person = p.person AND n.kind = 1
             WHERE p.person = $1"
        ),
        person
    )
}

pub async fn retire_key(tx: &mut Tx, person: Uuid, kind: i32, today: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE person_keys SET kind = $2, end_recorded = $3 WHERE person = $1 AND kind = 1", person, kind, today)?;
    Ok(())
}

pub async fn add_key(tx: &mut Tx, person: Uuid, key: Uuid, class: &str, sealed: &[u8]) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO person_keys (person, person_key, kind, id_class, id_sealed) VALUES ($1, $2, 1, $3, $4)
         ON CONFLICT (person, person_key) DO UPDATE SET kind = 1, end_recorded = NULL",
        person,
        key,
        class,
        sealed
    )?;
    Ok(())
}

/// Writes the present name otherwise: another blank or dot, not another name.
pub async fn respell_name(tx: &mut Tx, person: Uuid, name: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE person_names SET name = $2 WHERE person = $1 AND kind = 1", person, name)?;
    Ok(())
}

pub async fn retire_name(tx: &mut Tx, person: Uuid, kind: i32, today: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE person_names SET kind = $2, end_recorded = $3 WHERE person = $1 AND kind = 1", person, kind, today)?;
    Ok(())
}

pub async fn add_name(tx: &mut Tx, person: Uuid, name: &str) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO person_names (person, ordinal, name, kind) SELECT $1, max(ordinal) + 1, $2, 1 FROM person_names WHERE person = $1", person, name)?;
    Ok(())
}

pub async fn set_person(tx: &mut Tx, person: Uuid, sex: i32, birth_date: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE persons SET sex = $2, birth_date = $3, etag = etag + 1 WHERE person = $1", person, sex, birth_date)?;
    Ok(())
}

pub async fn enrollments_of(tx: &mut Tx, person: Uuid) -> Result<Vec<Uuid>, StoreError> {
    Ok(rows!(tx, (Uuid,), "SELECT enrollment FROM enrollments WHERE person = $1", person)?.into_iter().map(|(enrollment,)| enrollment).collect())
}

pub async fn set_claims(ctx: &Context, tx: &mut Tx, enrollments: &[Uuid], claim: &Claim) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET claim_key = $2, id_class = $3, name = $4, name_comparable = $5, sex = $6, birth_date = $7,
             updated_at_us = $8, etag = etag + 1 WHERE enrollment" in_uuids 1
        ),
        json_uuids(enrollments.iter().copied()),
        claim.key,
        &claim.class,
        &claim.name,
        &claim.comparable,
        claim.sex,
        claim.birth_date,
        ctx.now_us()
    )?;
    Ok(())
}

/// Keeps who corrected what, when, why: without the values, which the person's keys and names hold. Of another spelling only that
/// it was given.
pub async fn note_correction(ctx: &Context, tx: &mut Tx, correction: &Correction, person: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO identity_corrections (id, person, enrollment, kind, effective, reason, recorded_day, recorded_by, recorded_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        ctx.new_id(),
        person,
        correction.enrollment,
        correction.old.code(),
        correction.effective,
        &correction.reason,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us()
    )?;
    Ok(())
}
