//! How far the other service's chain went, as that one signed it: where the end of a chain was cut off, the other's database tells.

use std::collections::HashSet;

use xuezhu_chain::{BEGINNING, Said};
use xuezhu_store::{Db, StoreError, Tx};

use crate::store;

/// How far a chain went, signed by the service whose it is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SignedHead {
    /// Position of the last sealed line.
    pub position: i64,
    /// Its link.
    pub link: Vec<u8>,
    /// When it was signed, microseconds since 1970.
    pub at_us: i64,
    /// Id of the key that signed it.
    pub key_id: String,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SignedHead {
    /// What is signed.
    pub fn said(position: i64, link: &[u8], at_us: i64) -> Said {
        Said::of("audit head").number(position).bytes(link).number(at_us)
    }
}

/// Position and link of the last sealed line.
pub async fn head(db: &Db) -> Result<(i64, Vec<u8>), StoreError> {
    let mut tx = db.read().await?;
    let head = store::head(&mut tx).await?;
    tx.rollback().await?;
    Ok(head)
}

/// The head of the other service that is kept here and went farthest.
pub async fn farthest(db: &Db) -> Result<Option<SignedHead>, StoreError> {
    let mut tx = db.read().await?;
    let farthest = store::farthest_witness(&mut tx).await?;
    tx.rollback().await?;
    Ok(farthest)
}

/// Every head of the other service that is kept here, by position.
pub async fn all(tx: &mut Tx) -> Result<Vec<SignedHead>, StoreError> {
    store::witnesses(tx).await
}

/// Keeps a head of the other service, whose signature was verified. All are kept: which of them a chain still has tells where it was cut.
pub async fn keep(db: &Db, head: &SignedHead) -> Result<(), StoreError> {
    db.write(head, |tx, head| Box::pin(store::insert_witness(tx, head))).await
}

/// What the audit calls it that a head of the other service is kept, now and then: whoever takes heads away afterwards has to cut this chain too.
pub const KEPT: &str = "KeepHead";

/// When the audit here said last that a head of the other service is kept, microseconds since 1970, and of which position.
pub async fn last_said(tx: &mut Tx) -> Result<Option<(i64, i64)>, StoreError> {
    let lines = store::of_method(tx, KEPT).await?;
    Ok(lines.into_iter().max().map(|(at_us, resource)| (at_us, resource.parse().unwrap_or(0))))
}

/// Positions of which the audit here says that a head is kept, and none of these is.
pub async fn gone(tx: &mut Tx, kept: &[SignedHead]) -> Result<Vec<i64>, StoreError> {
    let kept: HashSet<i64> = kept.iter().map(|head| head.position).collect();
    let mut gone: Vec<i64> = store::of_method(tx, KEPT).await?.into_iter().filter_map(|(_, resource)| resource.parse().ok()).collect();
    gone.retain(|position| !kept.contains(position));
    gone.sort_unstable();
    Ok(gone)
}

/// Whether the chain here still has what a head of it says: else its end was cut off, or it was put back.
pub async fn still_has(tx: &mut Tx, position: i64, link: &[u8]) -> Result<bool, StoreError> {
    if position == 0 {
        return Ok(link == BEGINNING);
    }
    Ok(store::link_at(tx, position).await?.is_some_and(|known| known == link))
}
