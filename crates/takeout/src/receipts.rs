//! Who took out what, when and what for.

use uuid::Uuid;
use xuezhu_proto::common::TakeOut;
use xuezhu_service::{Error, clock::rfc3339};
use xuezhu_store::{StoreError, Tx};

use crate::{
    kind::About,
    store::{self, Receipt},
};

/// Receipts of a school's tables, newest first, and the last of them where there are more. Whether they may be read is the service's to ask.
pub async fn of_school(tx: &mut Tx, kinds: &[&About], school: &str, before: Option<Uuid>, limit: i64) -> Result<(Vec<TakeOut>, Option<Uuid>), Error> {
    let most = usize::try_from(limit).unwrap_or(0);
    let mut receipts = store::of_school(tx, school, before, limit + 1).await?;
    let more = receipts.len() > most;
    receipts.truncate(most);
    let last = receipts.last().filter(|_| more).map(|receipt| receipt.take_out);
    Ok((receipts.into_iter().map(|receipt| told(kinds, receipt)).collect::<Result<_, _>>()?, last))
}

fn told(kinds: &[&About], receipt: Receipt) -> Result<TakeOut, StoreError> {
    let about = kinds.iter().find(|about| about.code == receipt.kind).ok_or(StoreError::Corrupt("kind of a takeout"))?;
    let hash: [u8; 32] = receipt.content_hash[..].try_into().map_err(|_| StoreError::Corrupt("hash of a takeout"))?;
    Ok(TakeOut {
        take_out: receipt.take_out.to_string(),
        kind: about.word.to_owned(),
        kind_name: about.name.to_owned(),
        school: receipt.school,
        school_name: String::new(),
        subject: receipt.subject.map(|subject| subject.to_string()).unwrap_or_default(),
        narrowed: receipt.narrowed,
        counts: receipt.counts,
        account: receipt.account,
        account_name: receipt.account_name,
        purpose: receipt.purpose,
        rows: receipt.row_count,
        content_hash: blake3::Hash::from_bytes(hash).to_hex().to_string(),
        time: rfc3339(receipt.at_us),
    })
}
