//! Lines of who came in, after their time. What a line said is gone; its place in the chain stays, under a mark that only the service can make.

use xuezhu_chain::{Chain, Said};
use xuezhu_store::{Bytes, Db, StoreError};

use crate::{
    line::Outcome,
    store::{self, Forgotten},
};

/// Lines that one transaction forgets.
const LINES: i64 = 500;

/// What the mark of a forgotten line is made of.
pub(crate) fn said(position: i64, check: &[u8], link: &[u8]) -> Said {
    Said::of("audit line forgotten").number(position).bytes(check).bytes(link)
}

/// Forgets sealed lines of who came in that are older than a time; returns how many.
pub async fn forget(db: &Db, chain: &Chain, before_us: i64) -> Result<usize, StoreError> {
    let mut forgotten = 0;
    loop {
        let with = (chain.clone(), before_us);
        let batch = db
            .write(&with, |tx, (chain, before_us)| {
                Box::pin(async move {
                    let outcomes = Outcome::ALL.into_iter().filter(|outcome| outcome.is_access()).map(Outcome::as_str);
                    let old = store::sealed_before(tx, outcomes, *before_us, LINES).await?;
                    let gone = old
                        .into_iter()
                        .map(|(position, check, link)| {
                            let check = check.unwrap_or_default();
                            let mark = Bytes(chain.check(&said(position, &check, &link)).to_vec());
                            Forgotten { position, line_check: Bytes(check), link: Bytes(link), mark }
                        })
                        .collect::<Vec<_>>();
                    store::insert_forgotten(tx, &gone).await?;
                    store::remove(tx, &gone).await?;
                    Ok::<_, StoreError>(gone.len())
                })
            })
            .await?;
        forgotten += batch;
        if i64::try_from(batch).is_ok_and(|batch| batch < LINES) {
            return Ok(forgotten);
        }
    }
}
