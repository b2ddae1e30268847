//! Lines of who came in, after their time. What a line said is gone; its place in the chain stays, under a mark that only the service can make.

use xuezhu_chain::{Chain, Said};
use xuezhu_store::{Bytes, Db, StoreError};

use crate::{
    line::Outcome,
    store::{self, Forgotten, Kept},
};

/// Lines that one transaction forgets.
const LINES: i64 = 500;

/// What the mark of a forgotten line is made of.
pub(crate) fn said(position: i64, check: &[u8], link: &[u8]) -> Said {
    Said::of("audit line forgotten").number(position).bytes(check).bytes(link)
}

/// Forgets sealed lines of who came in that are older than a time; returns how many. Only what is as it was written, and wrote nothing of records: a
/// line that somebody made look like one of these stays, and is named.
pub async fn forget(db: &Db, chain: &Chain, before_us: i64) -> Result<usize, StoreError> {
    let (mut forgotten, mut after) = (0, (i64::MIN, 0));
    loop {
        let with = (chain.clone(), before_us, after);
        let (batch, last) = db
            .write(&with, |tx, (chain, before_us, after)| {
                Box::pin(async move {
                    let outcomes = Outcome::ALL.into_iter().filter(|outcome| outcome.is_access()).map(Outcome::as_str);
                    let old = store::sealed_before(tx, outcomes, *before_us, *after, LINES).await?;
                    let last = old.last().map(|kept| (kept.line.at_us, kept.position.unwrap_or_default()));
                    let gone = old.into_iter().filter_map(|kept| marked(chain, kept)).collect::<Vec<_>>();
                    store::insert_forgotten(tx, &gone).await?;
                    store::remove(tx, &gone).await?;
                    Ok::<_, StoreError>((gone.len(), last))
                })
            })
            .await?;
        forgotten += batch;
        match last {
            Some(last) => after = last,
            None => return Ok(forgotten),
        }
    }
}

fn marked(chain: &Chain, kept: Kept) -> Option<Forgotten> {
    let (position, check, link) = (kept.position?, kept.line_check?, kept.link?);
    if !kept.line.written.is_empty() || !chain.is_check(&kept.line.said(), &check) {
        return None;
    }
    let mark = Bytes(chain.check(&said(position, &check, &link)).to_vec());
    Some(Forgotten { position, line_check: Bytes(check), link: Bytes(link), mark })
}
