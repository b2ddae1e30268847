//! SQL of what held on a day, as it was known at a position.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_bridge::Kind;
use xuezhu_store::{StoreError, Tx, bulk_uuids, rows, sql};

const KIND: i32 = Kind::Enrollment as i32;

/// A part of a story.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PeriodRow {
    pub enrollment: Uuid,
    pub period: i32,
    pub from_date: NaiveDate,
    pub to_date: Option<NaiveDate>,
    pub state: i32,
    pub class_name: String,
    pub major: String,
    pub study_form: String,
    pub reason: String,
    pub recorded_day: NaiveDate,
    pub recorded_by: String,
    pub recorded_at_us: i64,
    pub version: i64,
    pub until_version: Option<i64>,
}

/// Every part of the stories of enrollments, those too that were replaced since.
pub async fn all(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<PeriodRow>, StoreError> {
    rows!(
        tx,
        PeriodRow,
        sql!(
            "SELECT enrollment, period, from_date, to_date, state, class_name, major, study_form, reason, recorded_day, recorded_by, recorded_at_us, version, until_version
             FROM periods WHERE enrollment" in_uuids 1 " ORDER BY enrollment, from_date, period"
        ),
        bulk_uuids(enrollments.iter().copied())
    )
}

/// Versions of enrollments that were told after a position, or are not told yet.
pub async fn told_after(tx: &mut Tx, enrollments: &[Uuid], position: i64) -> Result<Vec<(Uuid, i64)>, StoreError> {
    rows!(
        tx,
        (Uuid, i64),
        sql!("SELECT record, version FROM told_versions WHERE kind = $2 AND (position IS NULL OR position > $3) AND record" in_uuids 1),
        bulk_uuids(enrollments.iter().copied()),
        KIND,
        position
    )
}
