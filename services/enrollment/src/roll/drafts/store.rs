//! SQL of rows that no department approved.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::EDITABLE;

/// A row as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Entered {
    pub enrollment: Hex,
    pub claim_key: Hex,
    pub id_document: String,
    pub id_class: i32,
    pub id_sealed: Bytes,
    pub name: String,
    pub name_comparable: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub school_number: String,
    pub class_name: String,
    pub major: String,
    pub entry_month: i32,
    pub entry_date: NaiveDate,
    pub study_form: String,
    pub student_category: String,
    pub household: String,
    pub residence: String,
    pub registered_region: String,
    pub urban_rural: String,
    pub special_groups: String,
    pub phone_hash: Hex,
    pub details_sealed: Bytes,
    pub content_hash: Bytes,
}

/// How a row stands.
#[derive(Debug, sqlx::FromRow)]
pub struct StandingRow {
    #[sqlx(flatten)]
    pub row: Entered,
    pub state: i32,
    pub sent_back_reason: String,
}

/// The kept columns of a row.
#[derive(Debug, Serialize)]
pub struct Kept {
    pub enrollment: Hex,
    pub details_sealed: Bytes,
    pub content_hash: Bytes,
}

/// A row that an act left alone, with the reason.
#[derive(Debug, Serialize)]
pub struct Refused {
    pub enrollment: Hex,
    pub refusal: &'static str,
}

pub async fn insert(tx: &mut Tx, school: &str, entered: &[Entered], now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO enrollments (enrollment, school, state, claim_key, id_document, id_class, id_sealed, id_masked, name, name_comparable, sex, birth_date,
             school_number, class_name, major, entry_month, entry_date, study_form, student_category, household, residence,
             registered_region, urban_rural, special_groups, phone_hash, details_sealed, content_hash, sent_back_reason, refusal, updated_at_us, etag)
             SELECT t.enrollment, $2, $4, t.claim_key, t.id_document, t.id_class, t.id_sealed, '', t.name, t.name_comparable, t.sex, t.birth_date,
             t.school_number, t.class_name, t.major, t.entry_month, t.entry_date, t.study_form, t.student_category, t.household, t.residence,
             t.registered_region, t.urban_rural, t.special_groups, t.phone_hash, t.details_sealed, t.content_hash, '', '', $3, 1
             FROM " table 1 (enrollment uuid, claim_key uuid, id_document text, id_class integer, id_sealed bytea, name text, name_comparable text,
                sex integer, birth_date date, school_number text, class_name text, major text, entry_month integer, entry_date date, study_form text,
                student_category text, household text, residence text, registered_region text, urban_rural text, special_groups text,
                phone_hash uuid, details_sealed bytea, content_hash bytea)
        ),
        bulk_rows(entered),
        school,
        now_us,
        State::Draft.code()
    )?;
    Ok(())
}

/// Overwrites drafts and rows that were sent back; the rows become drafts again and leave their submission.
pub async fn update(tx: &mut Tx, entered: &[Entered], now_us: i64) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET state = $3, submission = NULL, claim_key = t.claim_key, id_document = t.id_document, id_class = t.id_class,
             id_sealed = t.id_sealed, id_masked = '', name = t.name, name_comparable = t.name_comparable, sex = t.sex, birth_date = t.birth_date,
             school_number = t.school_number, class_name = t.class_name, major = t.major, entry_month = t.entry_month, entry_date = t.entry_date,
             study_form = t.study_form, student_category = t.student_category, household = t.household, residence = t.residence,
             registered_region = t.registered_region, urban_rural = t.urban_rural, special_groups = t.special_groups, phone_hash = t.phone_hash, details_sealed = t.details_sealed, content_hash = t.content_hash, sent_back_reason = '', refusal = '', updated_at_us = $2, etag = etag + 1
             FROM " table 1 (enrollment uuid, claim_key uuid, id_document text, id_class integer, id_sealed bytea, name text, name_comparable text,
                sex integer, birth_date date, school_number text, class_name text, major text, entry_month integer, entry_date date, study_form text,
                student_category text, household text, residence text, registered_region text, urban_rural text, special_groups text,
                phone_hash uuid, details_sealed bytea, content_hash bytea)
            " WHERE enrollments.enrollment = t.enrollment AND enrollments.state IN ($3, $4)"
        ),
        bulk_rows(entered),
        now_us,
        EDITABLE[0],
        EDITABLE[1]
    )
}

pub async fn remove(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<bool, StoreError> {
    let removed =
        run!(tx, "DELETE FROM enrollments WHERE school = $1 AND enrollment = $2 AND state IN ($3, $4)", school, enrollment, EDITABLE[0], EDITABLE[1])?;
    Ok(removed == 1)
}

pub async fn remove_all(tx: &mut Tx, school: &str, ids: &[Uuid]) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!("DELETE FROM enrollments WHERE school = $2 AND (state = $3 OR state = $4) AND enrollment" in_uuids 1),
        bulk_uuids(ids.iter().copied()),
        school,
        EDITABLE[0],
        EDITABLE[1]
    )
}

/// Whether a row is of a school.
pub async fn is_of(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM enrollments WHERE school = $1 AND enrollment = $2", school, enrollment)?.is_some())
}

/// How rows stand.
pub async fn standing(tx: &mut Tx, enrollments: impl Iterator<Item = Uuid>) -> Result<Vec<StandingRow>, StoreError> {
    rows!(
        tx,
        StandingRow,
        sql!(
            "SELECT enrollment, state, claim_key, id_document, id_class, id_sealed, name, name_comparable, sex, birth_date, school_number, class_name, major,
                    entry_month, entry_date, study_form, student_category, household, residence, registered_region, urban_rural, special_groups, phone_hash,
                    details_sealed, content_hash, sent_back_reason
             FROM enrollments WHERE enrollment" in_uuids 1
        ),
        bulk_uuids(enrollments)
    )
}

pub async fn submitted(tx: &mut Tx, submission: Uuid, ids: &[Uuid], now_us: i64, today: NaiveDate) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET state = $4, submission = $2, claimed_day = $5, sent_back_reason = '', refusal = '', updated_at_us = $3, etag = etag + 1 WHERE enrollment" in_uuids 1),
        bulk_uuids(ids.iter().copied()),
        submission,
        now_us,
        State::Submitted.code(),
        today
    )?;
    Ok(())
}

pub async fn attested(tx: &mut Tx, submission: Uuid) -> Result<(), StoreError> {
    let (from, to) = (State::Submitted.code(), State::Attested.code());
    run!(tx, "UPDATE enrollments SET state = $3, etag = etag + 1 WHERE submission = $1 AND state = $2", submission, from, to)?;
    Ok(())
}

pub async fn sent_back(tx: &mut Tx, ids: &[Uuid], reason: &str, now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET state = $4, submission = NULL, sent_back_reason = $2, refusal = '', updated_at_us = $3, etag = etag + 1 WHERE enrollment" in_uuids 1),
        bulk_uuids(ids.iter().copied()),
        reason,
        now_us,
        State::SentBack.code()
    )?;
    Ok(())
}

pub async fn recalled(tx: &mut Tx, ids: &[Uuid], now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET state = $3, submission = NULL, refusal = '', updated_at_us = $2, etag = etag + 1 WHERE enrollment" in_uuids 1),
        bulk_uuids(ids.iter().copied()),
        now_us,
        State::Draft.code()
    )?;
    Ok(())
}

pub async fn note_refused(tx: &mut Tx, refused: &[Refused]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET refusal = t.refusal FROM " table 1 (enrollment uuid, refusal text) " WHERE enrollments.enrollment = t.enrollment"),
        bulk_rows(refused)
    )?;
    Ok(())
}

/// The sealed columns of enrollments.
pub async fn details(tx: &mut Tx, enrollments: impl Iterator<Item = Uuid>) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), sql!("SELECT enrollment, details_sealed FROM enrollments WHERE enrollment" in_uuids 1), bulk_uuids(enrollments))
}

pub async fn keep(tx: &mut Tx, kept: &[Kept]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET details_sealed = t.details_sealed, content_hash = t.content_hash
             FROM " table 1 (enrollment uuid, details_sealed bytea, content_hash bytea) " WHERE enrollments.enrollment = t.enrollment"
        ),
        bulk_rows(kept)
    )?;
    Ok(())
}
