//! How far the other service's chain went, as that one signed it: where the end of a chain was cut off, the other's database tells.

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

/// Whether the chain here still has what a head of it says: else its end was cut off, or it was put back.
pub async fn still_has(tx: &mut Tx, position: i64, link: &[u8]) -> Result<bool, StoreError> {
    if position == 0 {
        return Ok(link == BEGINNING);
    }
    Ok(store::link_at(tx, position).await?.is_some_and(|known| known == link))
}
