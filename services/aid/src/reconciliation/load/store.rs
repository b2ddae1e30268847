//! SQL of what a case is made of.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, bulk_uuids, rows, sql};

/// A person and a key that is or was theirs.
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
    pub name_comparable: String,
    pub kind: i32,
    pub end_recorded: Option<NaiveDate>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub person: Uuid,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub registry: i32,
}

#[derive(Debug, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub school: String,
    pub stage: i32,
    pub claim_key: Uuid,
    pub claim_name: String,
    pub person: Option<Uuid>,
    pub entry_date: NaiveDate,
    pub approved_day: Option<NaiveDate>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct PeriodRow {
    pub enrollment: Uuid,
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

#[derive(Debug, sqlx::FromRow)]
pub struct ClaimRow {
    pub entry: Uuid,
    pub list: Uuid,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub person_key: Uuid,
    pub name: String,
    pub name_comparable: String,
    pub sex: Option<i32>,
    pub birth_date: Option<NaiveDate>,
    pub months: String,
    pub month_fen: i64,
    pub amount_fen: i64,
    pub state: String,
    pub recorded_day: NaiveDate,
    pub recorded_at_us: i64,
}

/// Every bond of the persons who hold or held one of these keys, also those by their other keys.
pub async fn bonds_beside(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<KeyRow>, StoreError> {
    let holders = rows!(
        tx,
        (Uuid,),
        sql!("SELECT person FROM mirror_person_keys WHERE generation = $2 AND person_key" in_uuids 1),
        bulk_uuids(keys.iter().copied()),
        generation
    )?;
    rows!(
        tx,
        KeyRow,
        sql!("SELECT person, person_key, kind, end_recorded FROM mirror_person_keys WHERE generation = $2 AND person" in_uuids 1 " ORDER BY person, kind, person_key"),
        bulk_uuids(holders.into_iter().map(|(person,)| person)),
        generation
    )
}

/// Bonds by these keys alone.
pub async fn bonds_of_keys(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<KeyRow>, StoreError> {
    rows!(
        tx,
        KeyRow,
        sql!("SELECT person, person_key, kind, end_recorded FROM mirror_person_keys WHERE generation = $2 AND person_key" in_uuids 1 " ORDER BY person, kind, person_key"),
        bulk_uuids(keys.iter().copied()),
        generation
    )
}

pub async fn persons(tx: &mut Tx, generation: i64, persons: &[Uuid]) -> Result<Vec<PersonRow>, StoreError> {
    rows!(
        tx,
        PersonRow,
        sql!("SELECT person, sex, birth_date, registry FROM mirror_persons WHERE generation = $2 AND person" in_uuids 1 " ORDER BY person"),
        bulk_uuids(persons.iter().copied()),
        generation
    )
}

pub async fn person_names(tx: &mut Tx, generation: i64, persons: &[Uuid]) -> Result<Vec<NameRow>, StoreError> {
    rows!(
        tx,
        NameRow,
        sql!("SELECT person, name, name_comparable, kind, end_recorded FROM mirror_person_names WHERE generation = $2 AND person" in_uuids 1 " ORDER BY person, ordinal"),
        bulk_uuids(persons.iter().copied()),
        generation
    )
}

pub async fn enrollments(tx: &mut Tx, generation: i64, persons: &[Uuid], keys: &[Uuid]) -> Result<Vec<EnrollmentRow>, StoreError> {
    rows!(
        tx,
        EnrollmentRow,
        sql!(
            "SELECT enrollment, school, stage, claim_key, claim_name, person, entry_date, approved_day FROM mirror_enrollments
             WHERE generation = $3 AND person" in_uuids 1
            " UNION SELECT enrollment, school, stage, claim_key, claim_name, person, entry_date, approved_day FROM mirror_enrollments
             WHERE generation = $3 AND claim_key" in_uuids 2
        ),
        bulk_uuids(persons.iter().copied()),
        bulk_uuids(keys.iter().copied()),
        generation
    )
}

pub async fn periods(tx: &mut Tx, generation: i64, enrollments: &[Uuid]) -> Result<Vec<PeriodRow>, StoreError> {
    rows!(
        tx,
        PeriodRow,
        sql!(
            "SELECT enrollment, from_date, to_date, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups
             FROM mirror_periods
             WHERE generation = $2 AND enrollment" in_uuids 1 " ORDER BY enrollment, ordinal"
        ),
        bulk_uuids(enrollments.iter().copied()),
        generation
    )
}

pub async fn claims(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<ClaimRow>, StoreError> {
    rows!(
        tx,
        ClaimRow,
        sql!(
            "SELECT entry, list, school, scheme, term, person_key, name, name_comparable, sex, birth_date, months, month_fen, amount_fen, state, recorded_day, recorded_at_us
             FROM award_entries WHERE state <> 'REMOVED' AND person_key" in_uuids 1 " ORDER BY entry"
        ),
        bulk_uuids(keys.iter().copied())
    )
}
