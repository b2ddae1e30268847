//! Lines get positions and links: a batch a transaction, one process at a time, off the path of those who wait for an answer.

use xuezhu_chain::Chain;
use xuezhu_store::{Bytes, Db, Hex, StoreError};

use crate::store::{self, Sealed};

/// Lines that one transaction seals: more would hold up whoever writes beside it.
const LINES: i64 = 500;

/// Seals what is not sealed; returns how many lines that was.
pub async fn seal(db: &Db, chain: &Chain, now_us: i64) -> Result<usize, StoreError> {
    let mut sealed = 0;
    loop {
        // Most times there is nothing: that takes no turn of those who write.
        let mut tx = db.read().await?;
        let is_anything = store::is_anything_unsealed(&mut tx).await;
        tx.rollback().await?;
        if !is_anything? {
            return Ok(sealed);
        }
        let with = (chain.clone(), now_us);
        let batch = db
            .write(&with, |tx, (chain, now_us)| {
                Box::pin(async move {
                    // Locks the head: two processes seal one after the other.
                    let (mut position, mut link) = store::lock_head(tx, *now_us).await?;
                    let mut rows = Vec::new();
                    for (id, check) in store::unsealed(tx, LINES).await? {
                        position += 1;
                        // What has no check was not written here: it is linked as it is, and whoever verifies names it.
                        link = chain.link(&link, position, &check.unwrap_or_default()).to_vec();
                        rows.push(Sealed { id: Hex(id), position, link: Bytes(link.clone()) });
                    }
                    store::set_links(tx, &rows).await?;
                    store::set_head(tx, position, &link).await?;
                    Ok::<_, StoreError>(rows.len())
                })
            })
            .await?;
        sealed += batch;
        if batch == 0 {
            return Ok(sealed);
        }
    }
}

/// How a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Position of the last sealed line.
    pub position: i64,
    /// Lines that wait for theirs.
    pub waiting: i64,
}

/// How the chain stands.
pub async fn standing(db: &Db) -> Result<Standing, StoreError> {
    let mut tx = db.read().await?;
    let (position, _) = store::head(&mut tx).await?;
    let waiting = store::count_unsealed(&mut tx).await?;
    tx.rollback().await?;
    Ok(Standing { position, waiting })
}
