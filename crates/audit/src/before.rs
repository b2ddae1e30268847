//! Lines from before there was a chain: they are believed once, as they stand.

use uuid::Uuid;
use xuezhu_chain::Chain;
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

use crate::store::{self, OfBefore};

/// Lines that one transaction looks at.
const LINES: i64 = 2_000;

/// Makes the resource of lines after one what it should be; returns the last line that it looked at.
pub async fn masked(tx: &mut Tx, after: Uuid, mask: fn(&str) -> String) -> Result<Option<Uuid>, StoreError> {
    let lines = store::resources_after(tx, after, LINES).await?;
    for (id, resource) in &lines {
        let masked = mask(resource);
        if masked != *resource {
            store::set_resource(tx, *id, &masked).await?;
        }
    }
    Ok(lines.last().map(|(id, _)| *id))
}

/// Whether a chain was begun.
pub async fn is_begun(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(store::head(tx).await?.0 > 0)
}

/// Gives lines after one their check, where they have none; returns the last line that it looked at.
pub async fn checked(tx: &mut Tx, chain: &Chain, after: Uuid) -> Result<Option<Uuid>, StoreError> {
    // Where a chain was begun, nothing is believed any more.
    if is_begun(tx).await? {
        return Ok(None);
    }
    let lines = store::all_after(tx, after, LINES).await?;
    let last = lines.last().map(|kept| kept.line.id);
    let checks: Vec<OfBefore> = (lines.iter().filter(|kept| kept.line_check.is_none()))
        .map(|kept| OfBefore { id: Hex(kept.line.id), line_check: Bytes(chain.check(&kept.line.said()).to_vec()) })
        .collect();
    store::set_checks(tx, &checks).await?;
    Ok(last)
}
