//! SQL of what dossiers say of enrollments.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_review::Present;
use xuezhu_store::{StoreError, Tx, bulk_uuids, rows, sql};

/// An enrollment as a sheet shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Line {
    pub enrollment: Uuid,
    pub content_hash: Vec<u8>,
    pub name: String,
    pub sex: i32,
    pub class_name: String,
    pub major: String,
    pub entry_month: i32,
    pub study_form: String,
}

pub async fn present(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Present>, StoreError> {
    rows!(tx, Present, sql!("SELECT enrollment AS item, content_hash FROM enrollments WHERE enrollment" in_uuids 1), bulk_uuids(enrollments.iter().copied()))
}

/// Where somebody was entered, and from which day on.
pub async fn entered(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<(Uuid, String, NaiveDate)>, StoreError> {
    rows!(
        tx,
        (Uuid, String, NaiveDate),
        sql!("SELECT enrollment, school, entry_date FROM enrollments WHERE enrollment" in_uuids 1),
        bulk_uuids(enrollments.iter().copied())
    )
}

pub async fn lines(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Line>, StoreError> {
    rows!(
        tx,
        Line,
        sql!(
            "SELECT enrollment, content_hash, name, sex, class_name, major, entry_month, study_form FROM enrollments
             WHERE enrollment" in_uuids 1 " ORDER BY class_name, name, enrollment"
        ),
        bulk_uuids(enrollments.iter().copied())
    )
}
