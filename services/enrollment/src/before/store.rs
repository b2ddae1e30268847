//! SQL of conversions.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

/// An enrollment's sealed columns, and what was written about it.
#[derive(Debug, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub id_sealed: Vec<u8>,
    pub details_sealed: Vec<u8>,
    pub sent_back_reason: String,
}

/// The same, as it is stored now.
#[derive(Debug, Serialize)]
pub struct Converted {
    pub enrollment: Hex,
    pub id_sealed: Bytes,
    pub details_sealed: Bytes,
    pub sent_back_reason: String,
}

/// A person's 学籍号.
#[derive(Debug, Serialize)]
pub struct ConvertedPerson {
    pub person: Hex,
    pub sealed: Bytes,
}

/// A number that a person holds or held.
#[derive(Debug, Serialize)]
pub struct ConvertedKey {
    pub person: Hex,
    pub key: Hex,
    pub sealed: Bytes,
}

pub async fn has_account(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM accounts LIMIT 1")?.is_some())
}

/// A row by which keys are proven. Which form the class of its number has depends on where migrations stopped: text, a code beside
/// it, or a code in its place.
pub async fn sample(tx: &mut Tx) -> Result<Option<(Uuid, Uuid, String, Vec<u8>)>, StoreError> {
    let columns = rows!(
        &mut *tx,
        (String,),
        sql!(
            "SELECT "
            only(
                sqlite "name FROM pragma_table_info('enrollments')",
                postgres "column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'enrollments'"
            )
        )
    )?;
    type Sample = (Uuid, Uuid, String, Vec<u8>);
    if columns.iter().any(|(name,)| name == "id_class") {
        let select = "SELECT enrollment, claim_key, CAST(id_class AS text), id_sealed FROM enrollments WHERE length(id_sealed) > 0 LIMIT 1";
        return one!(tx, Sample, select);
    }
    one!(tx, Sample, "SELECT enrollment, claim_key, CAST(class_code AS text), id_sealed FROM enrollments WHERE length(id_sealed) > 0 LIMIT 1")
}

pub async fn enrollments(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<EnrollmentRow>, StoreError> {
    rows!(
        tx,
        EnrollmentRow,
        "SELECT enrollment, id_sealed, details_sealed, sent_back_reason FROM enrollments WHERE enrollment > $1 ORDER BY enrollment LIMIT $2",
        after,
        limit
    )
}

pub async fn set_enrollments(tx: &mut Tx, converted: &[Converted]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET id_sealed = t.id_sealed, details_sealed = t.details_sealed, sent_back_reason = t.sent_back_reason, id_masked = ''
             FROM " table 1 (enrollment uuid, id_sealed bytea, details_sealed bytea, sent_back_reason text) " WHERE enrollments.enrollment = t.enrollment"
        ),
        bulk_rows(converted)
    )?;
    Ok(())
}

/// What money depends on and only the kept columns told.
#[derive(Debug, Serialize)]
pub struct Circumstances {
    pub enrollment: Hex,
    pub registered_region: String,
    pub urban_rural: String,
    pub special_groups: String,
}

pub async fn details(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), "SELECT enrollment, details_sealed FROM enrollments WHERE enrollment > $1 ORDER BY enrollment LIMIT $2", after, limit)
}

pub async fn set_circumstances(tx: &mut Tx, told: &[Circumstances]) -> Result<(), StoreError> {
    let bulk = bulk_rows(told);
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET registered_region = t.registered_region, urban_rural = t.urban_rural, special_groups = t.special_groups
             FROM " table 1 (enrollment uuid, registered_region text, urban_rural text, special_groups text) " WHERE enrollments.enrollment = t.enrollment"
        ),
        &bulk
    )?;
    run!(
        tx,
        sql!(
            "UPDATE periods SET registered_region = t.registered_region, urban_rural = t.urban_rural, special_groups = t.special_groups
             FROM " table 1 (enrollment uuid, registered_region text, urban_rural text, special_groups text) " WHERE periods.enrollment = t.enrollment"
        ),
        &bulk
    )?;
    Ok(())
}

pub async fn school_after(tx: &mut Tx, after: &str) -> Result<Option<String>, StoreError> {
    Ok(one!(tx, (String,), "SELECT code FROM schools WHERE code > $1 ORDER BY code LIMIT 1", after)?.map(|(code,)| code))
}

pub async fn places(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, String, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, String, String),
        "SELECT enrollment, school_number, class_name FROM enrollments WHERE enrollment > $1 ORDER BY enrollment LIMIT $2",
        after,
        limit
    )
}

pub async fn set_place(tx: &mut Tx, enrollment: Uuid, school_number: &str, class_name: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE enrollments SET school_number = $2, class_name = $3 WHERE enrollment = $1", enrollment, school_number, class_name)?;
    // Before periods had classes of their own, each had that of its enrollment.
    run!(tx, "UPDATE periods SET class_name = $2 WHERE enrollment = $1", enrollment, class_name)?;
    Ok(())
}

pub async fn period_reasons(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<(Uuid, i32, String)>, StoreError> {
    rows!(tx, (Uuid, i32, String), sql!("SELECT enrollment, period, reason FROM periods WHERE enrollment" in_uuids 1), bulk_uuids(enrollments.iter().copied()))
}

pub async fn set_period_reason(tx: &mut Tx, enrollment: Uuid, period: i32, reason: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE periods SET reason = $3 WHERE enrollment = $1 AND period = $2", enrollment, period, reason)?;
    Ok(())
}

pub async fn correction_reasons(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), sql!("SELECT id, reason FROM identity_corrections WHERE enrollment" in_uuids 1), bulk_uuids(enrollments.iter().copied()))
}

pub async fn set_correction_reason(tx: &mut Tx, id: Uuid, reason: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE identity_corrections SET reason = $2 WHERE id = $1", id, reason)?;
    Ok(())
}

/// Why changes were taken back.
pub async fn cancelled_reasons(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<(Uuid, i32, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32, String),
        sql!("SELECT enrollment, period, until_reason FROM periods WHERE until_reason <> '' AND enrollment" in_uuids 1),
        bulk_uuids(enrollments.iter().copied())
    )
}

pub async fn set_cancelled_reason(tx: &mut Tx, enrollment: Uuid, period: i32, reason: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE periods SET until_reason = $3 WHERE enrollment = $1 AND period = $2", enrollment, period, reason)?;
    Ok(())
}

pub async fn persons(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), "SELECT person, student_number_sealed FROM persons WHERE person > $1 ORDER BY person LIMIT $2", after, limit)
}

pub async fn set_persons(tx: &mut Tx, converted: &[ConvertedPerson]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE persons SET student_number_sealed = t.sealed FROM " table 1 (person uuid, sealed bytea) " WHERE persons.person = t.person"),
        bulk_rows(converted)
    )?;
    Ok(())
}

pub async fn keys(tx: &mut Tx, persons: &[Uuid]) -> Result<Vec<(Uuid, Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Uuid, Vec<u8>), sql!("SELECT person, person_key, id_sealed FROM person_keys WHERE person" in_uuids 1), bulk_uuids(persons.iter().copied()))
}

pub async fn set_keys(tx: &mut Tx, converted: &[ConvertedKey]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE person_keys SET id_sealed = t.sealed FROM " table 1 (person uuid, key uuid, sealed bytea)
            " WHERE person_keys.person = t.person AND person_keys.person_key = t.key"
        ),
        bulk_rows(converted)
    )?;
    Ok(())
}

pub async fn imports(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>, Option<Vec<u8>>)>, StoreError> {
    rows!(
        tx,
        (Uuid, Vec<u8>, Option<Vec<u8>>),
        "SELECT i.import, i.report, f.file_sealed FROM imports i LEFT JOIN import_files f ON f.import = i.import WHERE i.import > $1 ORDER BY i.import LIMIT $2",
        after,
        limit
    )
}

pub async fn set_import(tx: &mut Tx, import: Uuid, report: &[u8], file: Option<&[u8]>) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET report = $2 WHERE import = $1", import, report)?;
    if let Some(file) = file {
        run!(tx, "UPDATE import_files SET file_sealed = $2 WHERE import = $1", import, file)?;
    }
    Ok(())
}

/// A submission of before.
#[derive(Debug, sqlx::FromRow)]
pub struct SubmissionRow {
    pub submission: Uuid,
    pub school: String,
    pub authority: String,
    pub state: i32,
    pub digest: String,
    pub submitted_by: String,
    pub submitted_by_name: String,
    pub submitted_at_us: i64,
    pub submitted_day: NaiveDate,
    pub attested_by: String,
    pub attested_by_name: String,
    pub attested_digest: String,
    pub attested_at_us: i64,
    pub attested_day: Option<NaiveDate>,
    pub approved_by_name: String,
}

pub async fn submissions(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<SubmissionRow>, StoreError> {
    rows!(
        tx,
        SubmissionRow,
        "SELECT b.submission, b.school, s.authority, b.state, b.digest, b.submitted_by, b.submitted_by_name, b.submitted_at_us, b.submitted_day,
                b.attested_by, b.attested_by_name, b.attested_digest, b.attested_at_us, b.attested_day, b.approved_by_name
         FROM submissions b JOIN schools s ON s.code = b.school WHERE b.submission > $1 ORDER BY b.submission LIMIT $2",
        after,
        limit
    )
}

/// Rows of a submission, with their states and what stood against them.
pub async fn rows_of(tx: &mut Tx, submission: Uuid) -> Result<Vec<(Uuid, i32, String)>, StoreError> {
    rows!(tx, (Uuid, i32, String), "SELECT enrollment, state, refusal FROM enrollments WHERE submission = $1", submission)
}

/// Rows of a submission wait with the principal again.
pub async fn submitted_again(tx: &mut Tx, submission: Uuid) -> Result<(), StoreError> {
    let (from, to) = (State::Attested.code(), State::Submitted.code());
    run!(tx, "UPDATE enrollments SET state = $3, etag = etag + 1 WHERE submission = $1 AND state = $2", submission, from, to)?;
    Ok(())
}
