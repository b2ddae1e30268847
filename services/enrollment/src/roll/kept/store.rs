//! SQL of columns that are said otherwise.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, rows, run};

use super::Change;

/// The columns of an enrollment as they are kept.
#[derive(Debug)]
pub struct Kept {
    pub enrollment: Uuid,
    pub details_sealed: Vec<u8>,
    pub content_hash: Vec<u8>,
    pub phone_hash: Uuid,
}

/// A change as it is noted.
#[derive(Debug)]
pub struct Noted {
    pub change: Uuid,
    pub kind: i32,
    pub before_sealed: Vec<u8>,
    pub after_sealed: Vec<u8>,
}

/// A change that was noted.
#[derive(Debug, sqlx::FromRow)]
pub struct ChangeRow {
    pub change: Uuid,
    pub kind: i32,
    pub from_date: NaiveDate,
    pub before_sealed: Vec<u8>,
    pub after_sealed: Vec<u8>,
    pub reason: String,
    pub recorded_by: String,
    pub recorded_at_us: i64,
}

pub async fn keep(ctx: &Context, tx: &mut Tx, kept: &Kept) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE enrollments SET details_sealed = $2, content_hash = $3, phone_hash = $4, updated_at_us = $5, etag = etag + 1 WHERE enrollment = $1",
        kept.enrollment,
        &kept.details_sealed,
        &kept.content_hash,
        kept.phone_hash,
        ctx.now_us()
    )?;
    Ok(())
}

pub async fn note(ctx: &Context, tx: &mut Tx, change: &Change<'_>, noted: &Noted) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO column_changes (change, enrollment, kind, from_date, before_sealed, after_sealed, reason, recorded_day, recorded_by, recorded_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        noted.change,
        change.enrollment,
        noted.kind,
        change.from,
        &noted.before_sealed,
        &noted.after_sealed,
        change.reason,
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us()
    )?;
    Ok(())
}

pub async fn changes(tx: &mut Tx, enrollment: Uuid) -> Result<Vec<ChangeRow>, StoreError> {
    rows!(
        tx,
        ChangeRow,
        "SELECT change, kind, from_date, before_sealed, after_sealed, reason, recorded_by, recorded_at_us FROM column_changes
         WHERE enrollment = $1 ORDER BY recorded_at_us DESC, change",
        enrollment
    )
}
