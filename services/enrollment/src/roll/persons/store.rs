//! SQL of persons, their keys and names.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_service::Context;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::Correction;

/// Who holds a key now, and where.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HolderRow {
    pub person_key: Uuid,
    pub person: Uuid,
    pub present_key: Uuid,
    pub name: String,
    pub placed: bool,
    pub last_end: Option<NaiveDate>,
}

/// A person who is approved for the first time.
#[derive(Debug, Serialize)]
pub struct NewPerson {
    pub person: Hex,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub registry: i32,
    pub student_number_sealed: Bytes,
    pub student_number_hash: Hex,
    pub student_number_formal: bool,
    pub person_key: Hex,
    pub id_class: i32,
    pub id_sealed: Bytes,
    pub name: String,
}

/// Who a person is now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct IdentityRow {
    pub person_key: Uuid,
    pub id_class: i32,
    pub id_sealed: Vec<u8>,
    pub name: String,
    pub formal: bool,
}

/// Who a person is, as enrollments claim it.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub key: Uuid,
    pub class: i32,
    pub name: String,
    pub comparable: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
}

/// The number that an enrollment keeps sealed.
#[derive(Debug, Serialize)]
pub struct SealedId {
    pub enrollment: Hex,
    pub id_sealed: Bytes,
}

/// Who holds these keys now, whether they have a place, and when their last place ended.
pub async fn holders(tx: &mut Tx, keys: impl Iterator<Item = Uuid>) -> Result<Vec<HolderRow>, StoreError> {
    rows!(
        tx,
        HolderRow,
        sql!(
            // Each is looked up by its person: a planner that measured these tables while they were empty would join all of them with all.
            "SELECT k.person_key, k.person,
                    (SELECT p.person_key FROM person_keys p WHERE p.person = k.person AND p.kind = 1 LIMIT 1) AS present_key,
                    (SELECT n.name FROM person_names n WHERE n.person = k.person AND n.kind = 1 LIMIT 1) AS name,
                    EXISTS (SELECT 1 FROM places pl WHERE pl.person = k.person) AS placed,
                    (SELECT max(pe.from_date) FROM periods pe JOIN enrollments e ON e.enrollment = pe.enrollment
                     WHERE e.person = k.person AND pe.until_version IS NULL AND pe.state = $2) AS last_end
             FROM person_keys k
             WHERE k.kind IN (1, 2) AND k.person_key" in_uuids 1 " ORDER BY k.kind DESC"
        ),
        bulk_uuids(keys),
        State::Withdrawn.code()
    )
}

/// Which of these keys a live row of the school claims.
pub async fn live_keys(tx: &mut Tx, school: &str, keys: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let claimed = rows!(
        tx,
        (Uuid,),
        sql!("SELECT claim_key FROM enrollments WHERE school = $2 AND state < $3 AND claim_key" in_uuids 1),
        bulk_uuids(keys),
        school,
        State::FIRST_FINAL
    )?;
    Ok(claimed.into_iter().map(|(key,)| key).collect())
}

/// Whether another live enrollment of the person's schools claims a key: a draft that would stand in the way.
pub async fn is_claimed_beside(tx: &mut Tx, person: Uuid, key: Uuid) -> Result<bool, StoreError> {
    let claimed = one!(
        tx,
        (i32,),
        "SELECT 1 FROM enrollments other JOIN enrollments own ON own.school = other.school AND own.person = $1
         WHERE other.claim_key = $2 AND other.state < $3 AND (other.person IS NULL OR other.person <> $1) LIMIT 1",
        person,
        key,
        State::FIRST_FINAL
    )?;
    Ok(claimed.is_some())
}

/// Locks persons in the order of their ids: who corrects one of them now waits, or was first and is seen by what is read
/// after this.
pub async fn lock_all(tx: &mut Tx, persons: impl Iterator<Item = Uuid>) -> Result<(), StoreError> {
    rows!(
        tx,
        (Uuid,),
        sql!("SELECT person FROM persons WHERE person" in_uuids 1 " ORDER BY person" only(sqlite "", postgres " FOR UPDATE")),
        bulk_uuids(persons)
    )?;
    Ok(())
}

pub async fn insert(tx: &mut Tx, persons: &[NewPerson]) -> Result<(), StoreError> {
    let bulk = bulk_rows(persons);
    run!(
        tx,
        sql!(
            "INSERT INTO persons (person, sex, birth_date, registry, student_number_sealed, student_number_hash, student_number_formal, etag)
             SELECT t.person, t.sex, t.birth_date, t.registry, t.student_number_sealed, t.student_number_hash, t.student_number_formal, 1
             FROM " table 1 (person uuid, sex integer, birth_date date, registry integer, student_number_sealed bytea, student_number_hash uuid, student_number_formal boolean)
        ),
        &bulk
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO person_keys (person, person_key, kind, id_class, id_sealed) SELECT t.person, t.person_key, 1, t.id_class, t.id_sealed
             FROM " table 1 (person uuid, person_key uuid, id_class integer, id_sealed bytea)
        ),
        &bulk
    )?;
    run!(tx, sql!("INSERT INTO person_names (person, ordinal, name, kind) SELECT t.person, 0, t.name, 1 FROM " table 1 (person uuid, name text)), &bulk)?;
    Ok(())
}

/// Which of these hashes of 学籍号 are taken.
pub async fn taken_student_numbers(tx: &mut Tx, hashes: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let taken = rows!(tx, (Uuid,), sql!("SELECT student_number_hash FROM persons WHERE student_number_hash" in_uuids 1), bulk_uuids(hashes))?;
    Ok(taken.into_iter().map(|(hash,)| hash).collect())
}

pub async fn identity(tx: &mut Tx, person: Uuid) -> Result<Option<IdentityRow>, StoreError> {
    one!(
        tx,
        IdentityRow,
        "SELECT k.person_key, k.id_class, k.id_sealed, n.name, p.student_number_formal AS formal
         FROM persons p JOIN person_keys k ON k.person = p.person AND k.kind = 1 JOIN person_names n ON n.person = p.person AND n.kind = 1
         WHERE p.person = $1",
        person
    )
}

/// Sex and day of birth.
pub async fn born(tx: &mut Tx, person: Uuid) -> Result<Option<(i32, NaiveDate)>, StoreError> {
    one!(tx, (i32, NaiveDate), "SELECT sex, birth_date FROM persons WHERE person = $1", person)
}

pub async fn retire_key(tx: &mut Tx, person: Uuid, kind: i32, today: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE person_keys SET kind = $2, end_recorded = $3 WHERE person = $1 AND kind = 1", person, kind, today)?;
    Ok(())
}

pub async fn add_key(tx: &mut Tx, person: Uuid, key: Uuid, class: i32, sealed: &[u8]) -> Result<(), StoreError> {
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

pub async fn set(tx: &mut Tx, person: Uuid, sex: i32, birth_date: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE persons SET sex = $2, birth_date = $3, etag = etag + 1 WHERE person = $1", person, sex, birth_date)?;
    Ok(())
}

pub async fn set_registry(tx: &mut Tx, person: Uuid, registry: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE persons SET registry = $2, etag = etag + 1 WHERE person = $1", person, registry)?;
    Ok(())
}

/// Whether another person has a 学籍号.
pub async fn is_student_number_taken(tx: &mut Tx, person: Uuid, hash: Uuid) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM persons WHERE student_number_hash = $1 AND person <> $2", hash, person)?.is_some())
}

pub async fn set_student_number(tx: &mut Tx, person: Uuid, sealed: &[u8], hash: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE persons SET student_number_sealed = $2, student_number_hash = $3, student_number_formal = $4, etag = etag + 1 WHERE person = $1",
        person,
        sealed,
        hash,
        true
    )?;
    Ok(())
}

pub async fn enrollments_of(tx: &mut Tx, person: Uuid) -> Result<Vec<Uuid>, StoreError> {
    Ok(rows!(tx, (Uuid,), "SELECT enrollment FROM enrollments WHERE person = $1", person)?.into_iter().map(|(enrollment,)| enrollment).collect())
}

pub async fn set_claims(ctx: &Context, tx: &mut Tx, enrollments: &[Uuid], claim: &Claimed) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET claim_key = $2, id_class = $3, name = $4, name_comparable = $5, sex = $6, birth_date = $7,
             updated_at_us = $8, etag = etag + 1 WHERE enrollment" in_uuids 1
        ),
        bulk_uuids(enrollments.iter().copied()),
        claim.key,
        claim.class,
        &claim.name,
        &claim.comparable,
        claim.sex,
        claim.birth_date,
        ctx.now_us()
    )?;
    Ok(())
}

pub async fn set_sealed(tx: &mut Tx, sealed: &[SealedId]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET id_sealed = t.id_sealed FROM " table 1 (enrollment uuid, id_sealed bytea) " WHERE enrollments.enrollment = t.enrollment"),
        bulk_rows(sealed)
    )?;
    Ok(())
}

/// Keeps who corrected what, when, why: without the values, which the person's keys and names hold. Of another spelling only that
/// it was given.
pub async fn note_correction(ctx: &Context, tx: &mut Tx, correction: &Correction<'_>, person: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO identity_corrections (id, person, enrollment, kind, effective, reason, recorded_day, recorded_by, recorded_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        ctx.new_id(),
        person,
        correction.enrollment,
        correction.old.code(),
        correction.effective,
        correction.reason,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us()
    )?;
    Ok(())
}

/// A correction that was recorded.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CorrectionRow {
    pub enrollment: Uuid,
    pub kind: i32,
    pub effective: NaiveDate,
    pub reason: String,
    pub recorded_day: NaiveDate,
    pub recorded_by: String,
    pub recorded_at_us: i64,
    /// How many numbers ended on the day on which it was recorded.
    pub numbers: i64,
}

/// What was corrected of a person.
pub async fn corrections(tx: &mut Tx, person: Uuid) -> Result<Vec<CorrectionRow>, StoreError> {
    rows!(
        tx,
        CorrectionRow,
        "SELECT c.enrollment, c.kind, c.effective, c.reason, c.recorded_day, c.recorded_by, c.recorded_at_us,
                (SELECT count(*) FROM person_keys k WHERE k.person = c.person AND k.end_recorded = c.recorded_day) AS numbers
         FROM identity_corrections c WHERE c.person = $1 ORDER BY c.recorded_at_us",
        person
    )
}

/// Names that a person had, with the day on which it was recorded that they had them no more.
pub async fn former_names(tx: &mut Tx, person: Uuid) -> Result<Vec<(String, NaiveDate)>, StoreError> {
    rows!(tx, (String, NaiveDate), "SELECT name, end_recorded FROM person_names WHERE person = $1 AND end_recorded IS NOT NULL ORDER BY ordinal", person)
}
