//! SQL of receipts: what was sent, by whom, what became of it, and what it did to whose record.

use serde::Serialize;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use crate::ALIVE_US;

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It goes on by itself.
    Running,
    /// Read, checked and, unless it was a preview, written.
    Done,
    /// Refused as a whole.
    Refused,
    /// The service stopped under it.
    Lost,
    /// Taken back.
    TakenBack,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Running, Self::Done, Self::Refused, Self::Lost, Self::TakenBack];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Running => 10,
            Self::Done => 20,
            Self::Refused => 30,
            Self::Lost => 40,
            Self::TakenBack => 50,
        }
    }

    /// By its code.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl TryFrom<i32> for State {
    type Error = StoreError;

    fn try_from(code: i32) -> Result<Self, StoreError> {
        Self::from_code(code).ok_or(StoreError::Corrupt("state of an import"))
    }
}

/// A receipt as it is written.
#[derive(Debug, Clone)]
pub struct NewReceipt<'r> {
    pub import: Uuid,
    pub kind: i32,
    pub school: &'r str,
    pub subject: Option<Uuid>,
    pub state: State,
    pub content_hash: &'r [u8],
    pub preview: bool,
    pub of_preview: Option<Uuid>,
    pub file_name: &'r str,
}

/// A receipt, without its file.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Receipt {
    pub import: Uuid,
    pub school: String,
    pub subject: Option<Uuid>,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub account: String,
    pub account_name: String,
    pub at_us: i64,
    pub content_hash: Vec<u8>,
    pub preview: bool,
    pub of_preview: Option<Uuid>,
    pub file_name: String,
    pub file_kept: bool,
}

/// What is asked of the archive.
#[derive(Debug)]
pub struct Filter<'f> {
    pub kind: i32,
    pub school: &'f str,
    pub subject: Option<Uuid>,
    pub query: &'f str,
    pub state: Option<State>,
    pub preview: Option<bool>,
}

/// What an import did to a record, as it is written.
#[derive(Debug, Serialize)]
pub struct NewEffect {
    pub item: Hex,
    pub table_number: i32,
    pub row_number: i32,
    pub content_hash: Bytes,
    pub before_sealed: Option<Bytes>,
}

/// What an import did to a record.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EffectRow {
    pub item: Uuid,
    pub table_number: i32,
    pub row_number: i32,
    pub content_hash: Vec<u8>,
    pub before_sealed: Option<Vec<u8>>,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, new: &NewReceipt<'_>) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO imports (import, kind, school, subject, state, account, account_name, address, at_us, alive_until_us, content_hash, preview, of_preview,
         file_name, file_name_folded, report) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        new.import,
        new.kind,
        new.school,
        new.subject,
        new.state.code(),
        &ctx.actor.account,
        &ctx.actor.display_name,
        &ctx.address,
        ctx.now_us(),
        ctx.now_us() + ALIVE_US,
        new.content_hash,
        new.preview,
        new.of_preview,
        new.file_name,
        new.file_name.to_lowercase(),
        &b""[..]
    )?;
    Ok(())
}

pub async fn insert_file(ctx: &Context, tx: &mut Tx, import: Uuid, file_sealed: &[u8]) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO import_files (import, at_us, file_sealed) VALUES ($1, $2, $3)", import, ctx.now_us(), file_sealed)?;
    Ok(())
}

/// What a preview said, to be written later.
pub async fn keep_plan(tx: &mut Tx, import: Uuid, plan_sealed: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE import_files SET plan_sealed = $2 WHERE import = $1", import, plan_sealed)?;
    Ok(())
}

/// Nothing is to be had of a file any more.
pub async fn forget_file(tx: &mut Tx, import: Uuid) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM import_files WHERE import = $1", import)?;
    Ok(())
}

/// How many files are kept of what an account sent since a time, and their bytes.
pub async fn kept_since(tx: &mut Tx, account: &str, since_us: i64) -> Result<(i64, i64), StoreError> {
    let kept = one!(
        tx,
        (i64, Option<i64>),
        "SELECT count(*), CAST(sum(length(i.report) + coalesce(length(f.file_sealed), 0)) AS bigint)
         FROM imports i LEFT JOIN import_files f ON f.import = i.import WHERE i.account = $1 AND i.at_us >= $2",
        account,
        since_us
    )?;
    Ok(kept.map_or((0, 0), |(files, bytes)| (files, bytes.unwrap_or(0))))
}

/// Forgets the files of what an account previewed, but for so many of the last.
pub async fn forget_previews(tx: &mut Tx, account: &str, but_for: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "DELETE FROM import_files WHERE import IN (SELECT import FROM imports WHERE account = $1 AND preview AND state = $3)
           AND import NOT IN (SELECT import FROM imports WHERE account = $1 AND preview AND state = $3 ORDER BY at_us DESC, import DESC LIMIT $2)",
        account,
        but_for,
        State::Done.code()
    )?;
    Ok(())
}

/// Ends an import that runs; false where it does not run any more.
pub async fn end(tx: &mut Tx, import: Uuid, state: State, report_sealed: &[u8]) -> Result<bool, StoreError> {
    let running = State::Running.code();
    Ok(run!(tx, "UPDATE imports SET state = $2, report = $3 WHERE import = $1 AND state = $4", import, state.code(), report_sealed, running)? == 1)
}

/// Whoever runs an import is there.
pub async fn is_alive(tx: &mut Tx, import: Uuid, until_us: i64) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET alive_until_us = $2 WHERE import = $1 AND state = $3", import, until_us, State::Running.code())?;
    Ok(())
}

/// What nobody says to run is lost.
pub async fn lose_running(tx: &mut Tx, before_us: i64) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET state = $2 WHERE state = $1 AND alive_until_us < $3", State::Running.code(), State::Lost.code(), before_us)?;
    Ok(())
}

/// The same of one.
pub async fn lose(tx: &mut Tx, import: Uuid, before_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE imports SET state = $3 WHERE import = $1 AND state = $2 AND alive_until_us < $4",
        import,
        State::Running.code(),
        State::Lost.code(),
        before_us
    )?;
    Ok(())
}

/// Who writes for a school waits for whoever else does. A preview writes nothing and takes no turn.
pub async fn take_turn(tx: &mut Tx, kind: i32, school: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO import_turns (kind, school, turns) VALUES ($1, $2, 1) ON CONFLICT (kind, school) DO UPDATE SET turns = import_turns.turns + 1",
        kind,
        school
    )?;
    Ok(())
}

pub async fn receipt(tx: &mut Tx, kind: i32, school: &str, subject: Option<Uuid>, import: Uuid) -> Result<Option<Receipt>, StoreError> {
    one!(
        tx,
        Receipt,
        "SELECT import, school, subject, state, account, account_name, at_us, content_hash, preview, of_preview, file_name, 
                EXISTS (SELECT 1 FROM import_files f WHERE f.import = imports.import) AS file_kept
         FROM imports WHERE import = $1 AND kind = $2 AND school = $3 AND ($4 IS NULL OR subject = $4)",
        import,
        kind,
        school,
        subject
    )
}

/// The sealed report of an import: empty while it runs, or where it was lost.
pub async fn report(tx: &mut Tx, import: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(one!(tx, (Vec<u8>,), "SELECT report FROM imports WHERE import = $1", import)?.map(|(report,)| report))
}

/// The sealed file of an import and the sealed plan of a preview, while they are kept.
pub async fn file(tx: &mut Tx, import: Uuid) -> Result<Option<(Vec<u8>, Option<Vec<u8>>)>, StoreError> {
    one!(tx, (Vec<u8>, Option<Vec<u8>>), "SELECT file_sealed, plan_sealed FROM import_files WHERE import = $1", import)
}

/// Imports, newest first.
pub async fn receipts(tx: &mut Tx, filter: &Filter<'_>, before: Option<Uuid>, limit: i64) -> Result<Vec<Receipt>, StoreError> {
    let part = format!("%{}%", filter.query.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    rows!(
        tx,
        Receipt,
        "SELECT import, school, subject, state, account, account_name, at_us, content_hash, preview, of_preview, file_name, 
                EXISTS (SELECT 1 FROM import_files f WHERE f.import = imports.import) AS file_kept
         FROM imports
         WHERE kind = $1 AND school = $2 AND ($3 IS NULL OR subject = $3) AND file_name_folded LIKE $4 ESCAPE '\\' AND ($5 = 0 OR state = $5)
           AND ($6 IS NULL OR preview = $6) AND ($7 IS NULL OR import < $7)
         ORDER BY import DESC LIMIT $8",
        filter.kind,
        filter.school,
        filter.subject,
        part,
        filter.state.map_or(0, State::code),
        filter.preview,
        before,
        limit
    )
}

pub async fn insert_effects(ctx: &Context, tx: &mut Tx, import: Uuid, effects: &[NewEffect]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO import_effects (import, at_us, item, table_number, row_number, content_hash, before_sealed)
             SELECT $2, $3, t.item, t.table_number, t.row_number, t.content_hash, t.before_sealed
             FROM " table 1 (item uuid, table_number integer, row_number integer, content_hash bytea, before_sealed bytea)
        ),
        bulk_rows(effects),
        import,
        ctx.now_us()
    )?;
    Ok(())
}

/// What an import did that can still be taken back.
pub async fn effects(tx: &mut Tx, import: Uuid) -> Result<Vec<EffectRow>, StoreError> {
    rows!(
        tx,
        EffectRow,
        "SELECT item, table_number, row_number, content_hash, before_sealed FROM import_effects WHERE import = $1 ORDER BY table_number, row_number",
        import
    )
}

/// How many records that is.
pub async fn effects_left(tx: &mut Tx, import: Uuid) -> Result<i64, StoreError> {
    Ok(one!(tx, (i64,), "SELECT count(*) FROM import_effects WHERE import = $1", import)?.map_or(0, |(left,)| left))
}

/// These were taken back.
pub async fn forget_effects(tx: &mut Tx, import: Uuid, items: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM import_effects WHERE import = $2 AND item" in_uuids 1), bulk_uuids(items.iter().copied()), import)?;
    Ok(())
}

/// An import was taken back, at least in part.
pub async fn returned(tx: &mut Tx, import: Uuid, state: State, report_sealed: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET state = $2, report = $3 WHERE import = $1", import, state.code(), report_sealed)?;
    Ok(())
}

pub async fn forget_files_before(tx: &mut Tx, before_us: i64) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM import_files WHERE at_us < $1", before_us)?;
    Ok(())
}

pub async fn forget_effects_before(tx: &mut Tx, before_us: i64) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM import_effects WHERE at_us < $1", before_us)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_its_code() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
        }
        assert_eq!(State::from_code(0), None, "none is asked for by 0");
    }
}
