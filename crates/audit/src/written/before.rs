//! Records from before it was kept what was written of them: they are believed once, as they stand.

use xuezhu_chain::Chain;
use xuezhu_store::{StoreError, Tx};

use super::{Kind, Part, Touched, store, written};
use crate::written::Key;

/// What the audit calls it.
pub const METHOD: &str = "BindRows";
/// What it calls the end of it, for a kind: from then on nothing is believed.
pub const ENDED: &str = "EndBinding";

/// Writes what records of a kind after one say, as if they were made now; returns it with the last key that was looked at. Once that was ended, or
/// anything else was written of the kind, nothing is believed any more.
pub async fn believed(tx: &mut Tx, rows: &Chain, kind: &'static Kind, after: Option<&Key>) -> Result<(Vec<Part>, Option<Key>), StoreError> {
    if store::is_begun(tx, kind.code, METHOD).await? || store::ended(tx).await?.iter().any(|(name, _)| name == kind.name) {
        return Ok((Vec::new(), None));
    }
    let keys = (kind.after)(tx, after, kind.at_once).await?;
    let last = keys.last().cloned();
    let mut touched = Touched::default();
    touched.add(kind, keys);
    Ok((written(tx, rows, &touched).await?, last))
}
