//! SQL of what records of imports are.

use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

#[derive(Serialize)]
struct Item<'i> {
    item: Hex,
    name: &'i str,
}

/// Notes what records are called.
pub async fn note(tx: &mut Tx, items: &[(Uuid, &str)]) -> Result<(), StoreError> {
    let items: Vec<Item> = items.iter().map(|(item, name)| Item { item: Hex(*item), name }).collect();
    run!(
        tx,
        sql!("INSERT INTO directory_items (item, name) SELECT t.item, t.name FROM " table 1 (item uuid, name text) " WHERE true ON CONFLICT (item) DO NOTHING"),
        bulk_rows(&items)
    )?;
    Ok(())
}

/// What records are called.
pub async fn names(tx: &mut Tx, items: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), sql!("SELECT item, name FROM directory_items WHERE item" in_uuids 1), bulk_uuids(items.iter().copied()))
}
