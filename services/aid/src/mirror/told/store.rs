//! SQL of what was told.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, bulk_texts, bulk_uuids, rows, sql};

#[derive(Debug, sqlx::FromRow)]
pub struct SchoolRow {
    pub school: String,
    pub name: String,
    pub kind: String,
    pub authority: String,
    pub region: String,
    pub state: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub person: Uuid,
    pub sex: i32,
    pub registry: i32,
    pub digest: Uuid,
    pub later: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub school: String,
    pub stage: i32,
    pub claim_key: Uuid,
    pub claim_name: String,
    pub person: Option<Uuid>,
    pub approved_day: Option<NaiveDate>,
    pub story: Option<Uuid>,
    pub digest: Uuid,
    pub later: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct PeriodRow {
    pub enrollment: Uuid,
    pub from_date: NaiveDate,
    pub state: i32,
    pub class_name: String,
    pub major: String,
}

pub async fn schools(tx: &mut Tx, generation: i64, codes: &[String]) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(
        tx,
        SchoolRow,
        sql!("SELECT school, name, kind, authority, region, state FROM mirror_schools WHERE generation = $2 AND school" in_texts 1),
        bulk_texts(codes),
        generation
    )
}

pub async fn persons(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<PersonRow>, StoreError> {
    rows!(
        tx,
        PersonRow,
        sql!("SELECT person, sex, registry, digest, later FROM mirror_persons WHERE generation = $2 AND person" in_uuids 1),
        bulk_uuids(ids.iter().copied()),
        generation
    )
}

pub async fn keys(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, Uuid, i32),
        sql!("SELECT person, person_key, kind FROM mirror_person_keys WHERE generation = $2 AND person" in_uuids 1 " ORDER BY kind, person_key"),
        bulk_uuids(ids.iter().copied()),
        generation
    )
}

pub async fn names(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<(Uuid, String, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, String, i32),
        sql!("SELECT person, name, kind FROM mirror_person_names WHERE generation = $2 AND person" in_uuids 1 " ORDER BY ordinal"),
        bulk_uuids(ids.iter().copied()),
        generation
    )
}

/// The school that each of these persons entered last.
pub async fn last_schools(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, String),
        sql!("SELECT person, school FROM mirror_enrollments WHERE generation = $2 AND person" in_uuids 1 " ORDER BY entry_date, enrollment"),
        bulk_uuids(ids.iter().copied()),
        generation
    )
}

pub async fn enrollments(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<EnrollmentRow>, StoreError> {
    rows!(
        tx,
        EnrollmentRow,
        sql!(
            "SELECT enrollment, school, stage, claim_key, claim_name, person, approved_day, story, digest, later FROM mirror_enrollments
             WHERE generation = $2 AND enrollment" in_uuids 1
        ),
        bulk_uuids(ids.iter().copied()),
        generation
    )
}

pub async fn periods(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<PeriodRow>, StoreError> {
    rows!(
        tx,
        PeriodRow,
        sql!(
            "SELECT enrollment, from_date, state, class_name, major FROM mirror_periods WHERE generation = $2 AND enrollment" in_uuids 1 " ORDER BY enrollment, ordinal"
        ),
        bulk_uuids(ids.iter().copied()),
        generation
    )
}

pub async fn persons_of_keys(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let persons = rows!(
        tx,
        (Uuid,),
        sql!("SELECT DISTINCT person FROM mirror_person_keys WHERE generation = $2 AND person_key" in_uuids 1),
        bulk_uuids(keys.iter().copied()),
        generation
    )?;
    Ok(persons.into_iter().map(|(person,)| person).collect())
}

pub async fn enrollments_of_keys(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let enrollments = rows!(
        tx,
        (Uuid,),
        sql!("SELECT enrollment FROM mirror_enrollments WHERE generation = $2 AND claim_key" in_uuids 1),
        bulk_uuids(keys.iter().copied()),
        generation
    )?;
    Ok(enrollments.into_iter().map(|(enrollment,)| enrollment).collect())
}

/// Stories of enrollments that claim these keys, and digests of persons who have them, each with what is said in later formats.
pub async fn stories_of_keys(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, String),
        sql!(
            "SELECT coalesce(story, digest), later FROM mirror_enrollments WHERE generation = $2 AND claim_key" in_uuids 1
            " UNION SELECT p.digest, p.later FROM mirror_person_keys k JOIN mirror_persons p ON p.person = k.person AND p.generation = $2
              WHERE k.generation = $2 AND k.person_key" in_uuids 1
        ),
        bulk_uuids(keys.iter().copied()),
        generation
    )
}
