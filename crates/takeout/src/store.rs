//! SQL of receipts.

use uuid::Uuid;
use xuezhu_proto::common::TakeOut;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, rows, run};

/// A receipt.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Receipt {
    pub take_out: Uuid,
    pub kind: i32,
    pub school: String,
    pub subject: Option<Uuid>,
    pub narrowed: String,
    pub counts: bool,
    pub account: String,
    pub account_name: String,
    pub at_us: i64,
    pub purpose: String,
    pub row_count: i32,
    pub content_hash: Vec<u8>,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, kind: i32, subject: Option<Uuid>, told: &TakeOut) -> Result<(), StoreError> {
    let id: Uuid = told.take_out.parse().map_err(|_| StoreError::Corrupt("id of a takeout"))?;
    let hash = blake3::Hash::from_hex(&told.content_hash).map_err(|_| StoreError::Corrupt("hash of a takeout"))?;
    run!(
        tx,
        "INSERT INTO take_outs (take_out, kind, school, subject, narrowed, counts, account, account_name, address, at_us, purpose, row_count, content_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        id,
        kind,
        &told.school,
        subject,
        &told.narrowed,
        told.counts,
        &told.account,
        &told.account_name,
        &ctx.address,
        ctx.now_us(),
        &told.purpose,
        told.rows,
        &hash.as_bytes()[..]
    )?;
    Ok(())
}

/// Receipts of a school, newest first.
pub async fn of_school(tx: &mut Tx, school: &str, before: Option<Uuid>, limit: i64) -> Result<Vec<Receipt>, StoreError> {
    rows!(
        tx,
        Receipt,
        "SELECT take_out, kind, school, subject, narrowed, counts, account, account_name, at_us, purpose, row_count, content_hash FROM take_outs
         WHERE school = $1 AND ($2 IS NULL OR take_out < $2) ORDER BY take_out DESC LIMIT $3",
        school,
        before,
        limit
    )
}
