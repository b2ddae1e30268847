//! SQL of receipts: what was sent, by whom, what became of it, and what it did to whose record.

use serde::Serialize;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

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
    pub file_sealed: &'r [u8],
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
    pub sheet: String,
    pub row_number: i32,
    pub content_hash: Bytes,
    pub before_sealed: Option<Bytes>,
}

/// What an import did to a record.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EffectRow {
    pub item: Uuid,
    pub sheet: String,
    pub row_number: i32,
    pub content_hash: Vec<u8>,
    pub before_sealed: Option<Vec<u8>>,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, new: &NewReceipt<'_>) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO imports (import, kind, school, subject, state, account, account_name, address, at_us, content_hash, preview, of_preview, file_name,
         report, file_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        new.import,
        new.kind,
        new.school,
        new.subject,
        new.state.code(),
        &ctx.actor.account,
        &ctx.actor.display_name,
        &ctx.address,
        ctx.now_us(),
        new.content_hash,
        new.preview,
        new.of_preview,
        new.file_name,
        &b""[..],
        new.file_sealed
    )?;
    Ok(())
}

/// Ends an import that runs; false where it does not run any more.
pub async fn end(tx: &mut Tx, import: Uuid, state: State, report_sealed: &[u8], plan_sealed: Option<&[u8]>) -> Result<bool, StoreError> {
    let ended = run!(
        tx,
        "UPDATE imports SET state = $2, report = $3, plan_sealed = $4 WHERE import = $1 AND state = $5",
        import,
        state.code(),
        report_sealed,
        plan_sealed,
        State::Running.code()
    )?;
    Ok(ended == 1)
}

/// What runs when a service starts ran when it stopped.
pub async fn lose_running(tx: &mut Tx) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET state = $2 WHERE state = $1", State::Running.code(), State::Lost.code())?;
    Ok(())
}

/// An import that runs in no process is lost.
pub async fn lose(tx: &mut Tx, import: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET state = $3 WHERE import = $1 AND state = $2", import, State::Running.code(), State::Lost.code())?;
    Ok(())
}

/// Who writes for a school waits for whoever else does.
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
        "SELECT import, school, subject, state, account, account_name, at_us, content_hash, preview, of_preview, file_name, file_sealed IS NOT NULL AS file_kept
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
pub async fn file(tx: &mut Tx, import: Uuid) -> Result<Option<(Option<Vec<u8>>, Option<Vec<u8>>)>, StoreError> {
    one!(tx, (Option<Vec<u8>>, Option<Vec<u8>>), "SELECT file_sealed, plan_sealed FROM imports WHERE import = $1", import)
}

/// Imports, newest first.
pub async fn receipts(tx: &mut Tx, filter: &Filter<'_>, before: Option<Uuid>, limit: i64) -> Result<Vec<Receipt>, StoreError> {
    let part = format!("%{}%", filter.query.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    rows!(
        tx,
        Receipt,
        "SELECT import, school, subject, state, account, account_name, at_us, content_hash, preview, of_preview, file_name, file_sealed IS NOT NULL AS file_kept
         FROM imports
         WHERE kind = $1 AND school = $2 AND ($3 IS NULL OR subject = $3) AND lower(file_name) LIKE $4 ESCAPE '\\' AND ($5 = 0 OR state = $5)
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

pub async fn insert_effects(tx: &mut Tx, import: Uuid, effects: &[NewEffect]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO import_effects (import, item, sheet, row_number, content_hash, before_sealed)
             SELECT $2, t.item, t.sheet, t.row_number, t.content_hash, t.before_sealed
             FROM " table 1 (item uuid, sheet text, row_number integer, content_hash bytea, before_sealed bytea)
        ),
        bulk_rows(effects),
        import
    )?;
    Ok(())
}

/// What an import did that can still be taken back.
pub async fn effects(tx: &mut Tx, import: Uuid) -> Result<Vec<EffectRow>, StoreError> {
    rows!(tx, EffectRow, "SELECT item, sheet, row_number, content_hash, before_sealed FROM import_effects WHERE import = $1 ORDER BY sheet, row_number", import)
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
    run!(tx, "UPDATE imports SET file_sealed = NULL, plan_sealed = NULL WHERE at_us < $1 AND (file_sealed IS NOT NULL OR plan_sealed IS NOT NULL)", before_us)?;
    Ok(())
}

pub async fn forget_effects_before(tx: &mut Tx, before_us: i64) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM import_effects WHERE import IN (SELECT import FROM imports WHERE at_us < $1)", before_us)?;
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
