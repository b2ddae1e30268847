//! SQL of what was written of records.

use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, one, rows, run};

use super::{before, part::Part};

/// Keeps what a transaction wrote, under the audit's line of it.
pub(crate) async fn insert(tx: &mut Tx, line: Uuid, parts: &[Part]) -> Result<(), StoreError> {
    for (ordinal, part) in (0_i32..).zip(parts) {
        run!(tx, "INSERT INTO row_writes (line, ordinal, kind, records) VALUES ($1, $2, $3, $4)", line, ordinal, part.kind, &part.records)?;
    }
    Ok(())
}

/// What was written under a line, with what the line says of it; that of lines that are not there says nothing.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Kept {
    pub line: Uuid,
    pub ordinal: i32,
    #[sqlx(flatten)]
    pub part: Part,
    pub written: Option<String>,
    pub method: String,
    pub at_us: i64,
    pub position: Option<i64>,
}

/// What was written, after a part of a line, in order.
pub(super) async fn after(tx: &mut Tx, after: (Uuid, i32), limit: i64) -> Result<Vec<Kept>, StoreError> {
    rows!(
        tx,
        Kept,
        "SELECT w.line, w.ordinal, w.kind, w.records, a.written, coalesce(a.method, '') AS method, coalesce(a.at_us, 0) AS at_us, a.position
         FROM row_writes w LEFT JOIN audit a ON a.id = w.line WHERE (w.line, w.ordinal) > ($1, $2) ORDER BY w.line, w.ordinal LIMIT $3",
        after.0,
        after.1,
        limit
    )
}

/// How many bytes were written of records, all in all.
pub(super) async fn bytes(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(one!(tx, (i64,), "SELECT coalesce(CAST(sum(length(records)) AS bigint), 0) FROM row_writes")?.map_or(0, |(bytes,)| bytes))
}

/// Lines that say that something was written, of which nothing is kept: id, when, what was called.
pub(super) async fn without(tx: &mut Tx) -> Result<Vec<(Uuid, i64, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, i64, String),
        "SELECT id, at_us, method FROM audit WHERE written <> '' AND NOT EXISTS (SELECT 1 FROM row_writes w WHERE w.line = audit.id) ORDER BY id"
    )
}

/// Whether anything was written of a kind but what was believed of before.
pub(super) async fn is_begun(tx: &mut Tx, kind: i32, believed: &str) -> Result<bool, StoreError> {
    let found = one!(
        tx,
        (i32,),
        "SELECT 1 FROM row_writes w WHERE w.kind = $1 AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.id = w.line AND a.method = $2) LIMIT 1",
        kind,
        believed
    )?;
    Ok(found.is_some())
}

/// Kinds of which nothing is believed any more, by name, and where the lines stand that say so.
pub(super) async fn ended(tx: &mut Tx) -> Result<Vec<(String, Option<i64>)>, StoreError> {
    rows!(tx, (String, Option<i64>), "SELECT resource, position FROM audit WHERE method = $1 ORDER BY position", before::ENDED)
}
