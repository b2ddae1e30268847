//! SQL of what is shared.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, bulk_texts, bulk_uuids, one, rows, sql};

#[derive(Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub person: Uuid,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub registry: i32,
}

#[derive(Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub person: Uuid,
    pub person_key: Uuid,
    pub kind: i32,
    pub end_recorded: Option<NaiveDate>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct NameRow {
    pub person: Uuid,
    pub name: String,
    pub kind: i32,
    pub end_recorded: Option<NaiveDate>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub school: String,
    pub region: String,
    pub state: i32,
    pub person: Option<Uuid>,
    pub claim_key: Uuid,
    pub name: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_date: NaiveDate,
    pub approved_day: Option<NaiveDate>,
    pub claimed_day: Option<NaiveDate>,
}

/// An enrollment with one of its periods; with none, where it was not approved.
#[derive(Debug, sqlx::FromRow)]
pub struct SharedRow {
    #[sqlx(flatten)]
    pub enrollment: EnrollmentRow,
    pub from_date: Option<NaiveDate>,
    pub to_date: Option<NaiveDate>,
    pub period_state: Option<i32>,
    pub class_name: Option<String>,
    pub major: Option<String>,
    pub study_form: Option<String>,
    pub household: Option<String>,
    pub residence: Option<String>,
    pub registered_region: Option<String>,
    pub urban_rural: Option<String>,
    pub special_groups: Option<String>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct SchoolRow {
    pub code: String,
    pub name: String,
    pub region: String,
    pub kind: String,
    pub authority: String,
    pub state: String,
}

pub async fn school(tx: &mut Tx, code: &str) -> Result<Option<SchoolRow>, StoreError> {
    one!(tx, SchoolRow, "SELECT code, name, region, kind, authority, state FROM schools WHERE code = $1", code)
}

/// Schools by their codes.
pub async fn schools(tx: &mut Tx, codes: &[&str]) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(tx, SchoolRow, sql!("SELECT code, name, region, kind, authority, state FROM schools WHERE code" in_texts 1), bulk_texts(codes))
}

/// Holds persons against changes until the transaction ends.
pub async fn hold_persons(tx: &mut Tx, ids: &[Uuid]) -> Result<(), StoreError> {
    rows!(
        tx,
        (Uuid,),
        sql!("SELECT person FROM persons WHERE person" in_uuids 1 " ORDER BY person" only(sqlite "", postgres " FOR UPDATE")),
        bulk_uuids(ids.iter().copied())
    )
    .map(drop)
}

/// Holds enrollments against changes until the transaction ends.
pub async fn hold_enrollments(tx: &mut Tx, ids: &[Uuid]) -> Result<(), StoreError> {
    rows!(
        tx,
        (Uuid,),
        sql!("SELECT enrollment FROM enrollments WHERE enrollment" in_uuids 1 " ORDER BY enrollment" only(sqlite "", postgres " FOR UPDATE")),
        bulk_uuids(ids.iter().copied())
    )
    .map(drop)
}

/// Codes of all schools, held against changes until the transaction ends.
pub async fn held_schools(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let codes = rows!(tx, (String,), sql!("SELECT code FROM schools ORDER BY code" only(sqlite "", postgres " FOR UPDATE")))?;
    Ok(codes.into_iter().map(|(code,)| code).collect())
}

pub async fn persons(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PersonRow>, StoreError> {
    rows!(tx, PersonRow, sql!("SELECT person, sex, birth_date, registry FROM persons WHERE person" in_uuids 1), bulk_uuids(ids.iter().copied()))
}

/// The regions of every school that ever had a person.
pub async fn regions(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, String),
        sql!(
            "SELECT DISTINCT e.person, s.region FROM enrollments e JOIN schools s ON s.code = e.school WHERE e.person" in_uuids 1 " ORDER BY e.person, s.region"
        ),
        bulk_uuids(ids.iter().copied())
    )
}

pub async fn keys(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<KeyRow>, StoreError> {
    rows!(
        tx,
        KeyRow,
        sql!("SELECT person, person_key, kind, end_recorded FROM person_keys WHERE person" in_uuids 1 " ORDER BY kind, person_key"),
        bulk_uuids(ids.iter().copied())
    )
}

pub async fn names(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<NameRow>, StoreError> {
    rows!(
        tx,
        NameRow,
        sql!("SELECT person, name, kind, end_recorded FROM person_names WHERE person" in_uuids 1 " ORDER BY kind, ordinal"),
        bulk_uuids(ids.iter().copied())
    )
}

/// Enrollments in the order of their ids, each once for every period that stands, in order.
pub async fn enrollments(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<SharedRow>, StoreError> {
    rows!(
        tx,
        SharedRow,
        sql!(
            "SELECT e.enrollment, e.school, s.region, e.state, e.person, e.claim_key, e.name, e.sex, e.birth_date, e.entry_date, e.approved_day, e.claimed_day,
                    p.from_date, p.to_date, p.state AS period_state, p.class_name, p.major, p.study_form, p.household, p.residence, p.registered_region,
                    p.urban_rural, p.special_groups
             FROM enrollments e JOIN schools s ON s.code = e.school LEFT JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL
             WHERE e.enrollment" in_uuids 1 " ORDER BY e.enrollment, p.from_date"
        ),
        bulk_uuids(ids.iter().copied())
    )
}
