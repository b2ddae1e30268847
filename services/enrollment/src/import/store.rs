//! SQL of receipts.

use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, one, run};

use super::Upload;

pub async fn insert_import(ctx: &Context, tx: &mut Tx, upload: &Upload, report_sealed: &[u8]) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO imports (import, school, account, address, at_us, content_hash, preview, report, file_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        upload.import,
        &upload.school,
        &ctx.actor.account,
        &ctx.address,
        ctx.now_us(),
        &upload.content_hash[..],
        upload.preview,
        report_sealed,
        &upload.file_sealed[..]
    )?;
    Ok(())
}

/// The sealed report of an import, and the sealed file while that is kept.
pub async fn import(tx: &mut Tx, school: &str, import: Uuid) -> Result<Option<(Vec<u8>, Option<Vec<u8>>)>, StoreError> {
    one!(tx, (Vec<u8>, Option<Vec<u8>>), "SELECT report, file_sealed FROM imports WHERE school = $1 AND import = $2", school, import)
}

pub async fn forget_files_before(tx: &mut Tx, before_us: i64) -> Result<u64, StoreError> {
    run!(tx, "UPDATE imports SET file_sealed = NULL WHERE at_us < $1 AND file_sealed IS NOT NULL", before_us)
}
