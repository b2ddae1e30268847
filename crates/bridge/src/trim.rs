//! Forgetting old changes. A follower whose cursor is older takes a fresh snapshot.

use xuezhu_service::Error;
use xuezhu_store::Db;

use crate::store;

/// How long changes are kept, in microseconds: thirty days.
pub const KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;

/// Forgets changes that are older than [`KEPT_US`] at a time that [`xuezhu_service::Forgetting`] gave; returns how many.
pub async fn trim(db: &Db, forgetting_us: i64) -> Result<u64, Error> {
    trim_before(db, forgetting_us - KEPT_US).await
}

/// Forgets changes from before an instant, some at a time: who writes is not kept waiting.
pub async fn trim_before(db: &Db, before_us: i64) -> Result<u64, Error> {
    let mut all = 0;
    loop {
        let forgotten = db.write(&before_us, |tx, before| Box::pin(async move { store::trim(tx, *before).await.map_err(Error::from) })).await?;
        all += forgotten;
        if forgotten == 0 {
            return Ok(all);
        }
    }
}
