//! The feed's SQL.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_service::Trace;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use crate::log::Kind;

/// A change to be logged.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "named as the column")]
pub struct Change {
    change: Hex,
    kind: i32,
    record: Hex,
    scope: String,
    body: Bytes,
}

impl Change {
    pub fn new(change: Uuid, kind: Kind, record: Uuid, scope: &str, body: &[u8]) -> Self {
        Self { change: Hex(change), kind: kind as i32, record: Hex(record), scope: scope.to_owned(), body: Bytes(body.to_vec()) }
    }
}

/// A logged change, with its position.
#[derive(Debug, sqlx::FromRow)]
pub struct LoggedRow {
    pub position: i64,
    pub change: Uuid,
    pub kind: i32,
    pub record: Uuid,
    pub version: i64,
    pub scope_before: String,
    pub scope: String,
    pub body: Vec<u8>,
    pub at_us: i64,
    /// The request that made it, as a `traceparent`; empty where there was none.
    pub trace: String,
}

/// A record as it is now, with the change that made it, where the log still holds that.
#[derive(Debug, sqlx::FromRow)]
pub struct LatestRow {
    pub kind: i32,
    pub record: Uuid,
    pub version: i64,
    pub change: Option<Uuid>,
    pub body: Vec<u8>,
    pub at_us: i64,
}

/// The one row that positions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct SequencerRow {
    /// The present history.
    pub history: Uuid,
    /// The position above which it begins.
    pub base_position: i64,
    /// The position that is given next.
    pub next_position: i64,
    /// Rises with each leader.
    pub epoch: i64,
    /// Who leads; nil where nobody does.
    pub holder: Uuid,
    /// Rises while the leader lives.
    pub beats: i64,
}

impl SequencerRow {
    /// The last position that was given.
    pub fn head(&self) -> i64 {
        self.next_position - 1
    }
}

/// Bodies of records after one, in the order of their ids.
pub async fn bodies_after(tx: &mut Tx, kind: i32, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), "SELECT record, body FROM shared_records WHERE kind = $1 AND record > $2 ORDER BY record LIMIT $3", kind, after, limit)
}

pub async fn set_body(tx: &mut Tx, kind: i32, record: Uuid, body: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE shared_records SET body = $3 WHERE kind = $1 AND record = $2", kind, record, body)?;
    Ok(())
}

/// Bodies of changes after one, in the order of their ids.
pub async fn logged_after(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), "SELECT change, body FROM change_log WHERE change > $1 ORDER BY change LIMIT $2", after, limit)
}

pub async fn set_logged(tx: &mut Tx, change: Uuid, body: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE change_log SET body = $2 WHERE change = $1", change, body)?;
    Ok(())
}

/// Logs changes. Their time is not before the one that is forgotten by: what was done under a clock that stood behind is kept as long.
pub async fn append_changes(tx: &mut Tx, changes: &[Change], at_us: i64, trace: Option<Trace>) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO change_log (change, kind, record, version, scope_before, scope, body, at_us, trace)
             SELECT t.change, t.kind, t.record, coalesce(s.version, 0) + 1, coalesce(s.scope, ''), t.scope, t.body,
                    coalesce((SELECT f.at_us FROM forgetting f WHERE f.at_us > $2), $2), $3
             FROM " table 1 (change uuid, kind integer, record uuid, scope text, body bytea) "
             LEFT JOIN shared_records s ON s.kind = t.kind AND s.record = t.record"
        ),
        bulk_rows(changes),
        at_us,
        trace.map_or_else(String::new, |trace| trace.to_string())
    )?;
    Ok(())
}

pub async fn keep_latest(tx: &mut Tx, changes: &[Change], at_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO shared_records (kind, record, version, scope, body, at_us)
             SELECT t.kind, t.record, 1, t.scope, t.body, $2
             FROM " table 1 (kind integer, record uuid, scope text, body bytea) "
             WHERE true
             ON CONFLICT (kind, record) DO UPDATE
             SET version = shared_records.version + 1, scope = excluded.scope, body = excluded.body, at_us = excluded.at_us"
        ),
        bulk_rows(changes),
        at_us
    )?;
    Ok(())
}

/// The row, and what of the log is asked beside it.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Look {
    #[sqlx(flatten)]
    pub row: SequencerRow,
    /// The change at the position that was asked for.
    pub change_there: Option<Uuid>,
    /// When the oldest change was committed that waits for its position.
    pub waiting_us: Option<i64>,
}

/// One look at all that sequencer and feed go by.
pub async fn look(tx: &mut Tx, position: i64) -> Result<Option<Look>, StoreError> {
    // What waits, in the order of its index: a planner that last looked while much did would else walk the whole log.
    one!(
        tx,
        Look,
        "SELECT history, base_position, next_position, epoch, holder, beats, (SELECT c.change FROM change_log c WHERE c.position = $1) AS change_there,
                (SELECT c.at_us FROM change_log c WHERE c.position IS NULL ORDER BY c.change LIMIT 1) AS waiting_us
         FROM feed_sequencer",
        position
    )
}

pub async fn sequencer(tx: &mut Tx) -> Result<Option<SequencerRow>, StoreError> {
    one!(tx, SequencerRow, "SELECT history, base_position, next_position, epoch, holder, beats FROM feed_sequencer")
}

/// Begins a history where there is none, and notes the one that there is.
pub async fn begin_history(tx: &mut Tx, history: Uuid, format: i32, now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO feed_sequencer (only_row, history, epoch, holder, lease_until_us, next_position, format) VALUES (1, $1, 0, $2, 0, 1, $3)
         ON CONFLICT (only_row) DO NOTHING",
        history,
        Uuid::nil(),
        format
    )?;
    note_history(tx, now_us).await
}

async fn note_history(tx: &mut Tx, now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO feed_histories (history, base_position, begun_at_us) SELECT history, base_position, $1 FROM feed_sequencer WHERE true
         ON CONFLICT (history) DO NOTHING",
        now_us
    )?;
    Ok(())
}

/// Goes on in a new history above `base`, if the row still says what was seen: who else saw the same loss was first otherwise.
pub async fn go_on_above(tx: &mut Tx, seen: &SequencerRow, history: Uuid, base: i64, now_us: i64) -> Result<bool, StoreError> {
    let begun = run!(
        tx,
        "UPDATE feed_sequencer SET history = $1, base_position = $2, next_position = $2 + 1, epoch = epoch + 1, holder = $3
         WHERE history = $4 AND epoch = $5 AND next_position = $6",
        history,
        base,
        Uuid::nil(),
        seen.history,
        seen.epoch,
        seen.next_position
    )?;
    if begun == 1 {
        note_history(tx, now_us).await?;
    }
    Ok(begun == 1)
}

/// Whether this database has been through a history.
pub async fn knows_history(tx: &mut Tx, history: Uuid) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM feed_histories WHERE history = $1", history)?.is_some())
}

/// Takes the lead, if the row still stands as it was seen; the epoch rises, so that a former leader changes nothing more.
pub async fn take_lead(tx: &mut Tx, holder: Uuid, seen: &SequencerRow) -> Result<Option<i64>, StoreError> {
    let taken = one!(
        tx,
        (i64,),
        "UPDATE feed_sequencer SET epoch = epoch + 1, beats = beats + 1, holder = $1 WHERE epoch = $2 AND beats = $3 AND holder = $4 RETURNING epoch",
        holder,
        seen.epoch,
        seen.beats,
        seen.holder
    )?;
    Ok(taken.map(|(epoch,)| epoch))
}

/// Says that the leader of an epoch lives; `false` where the epoch has passed.
pub async fn beat(tx: &mut Tx, epoch: i64) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE feed_sequencer SET beats = beats + 1 WHERE epoch = $1", epoch)? == 1)
}

/// Leaves the lead to whoever wants it.
pub async fn release_lead(tx: &mut Tx, epoch: i64) -> Result<(), StoreError> {
    run!(tx, "UPDATE feed_sequencer SET holder = $2 WHERE epoch = $1", epoch, Uuid::nil())?;
    Ok(())
}

/// The format in which all records were shared last.
pub async fn shared_format(tx: &mut Tx) -> Result<i32, StoreError> {
    Ok(one!(tx, (i32,), "SELECT format FROM feed_sequencer")?.map_or(0, |(format,)| format))
}

/// Notes that all records were shared in a format.
pub async fn note_shared_format(tx: &mut Tx, format: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE feed_sequencer SET format = $1", format)?;
    Ok(())
}

/// A page of what was shared last: kind, record, body.
pub async fn shared_after(tx: &mut Tx, kind: i32, record: Uuid, limit: i64) -> Result<Vec<(i32, Uuid, Vec<u8>)>, StoreError> {
    rows!(
        tx,
        (i32, Uuid, Vec<u8>),
        "SELECT kind, record, body FROM shared_records WHERE (kind, record) > ($1, $2) ORDER BY kind, record LIMIT $3",
        kind,
        record,
        limit
    )
}

/// Gives positions to committed changes in the order of their ids, and to those of one record in the order of its versions: ids are made
/// by the clocks of several processes. Earlier versions that wait come along, whatever their ids. Returns how many.
pub async fn assign_positions(tx: &mut Tx, first: i64, limit: i64) -> Result<i64, StoreError> {
    let assigned = run!(
        tx,
        "WITH oldest AS (SELECT change, kind, record, version FROM change_log WHERE position IS NULL ORDER BY change LIMIT $2),
              batch AS (SELECT change, kind, record, version FROM oldest
                        UNION SELECT c.change, c.kind, c.record, c.version FROM oldest o
                              JOIN change_log c ON c.kind = o.kind AND c.record = o.record AND c.version < o.version WHERE c.position IS NULL),
              slots AS (SELECT kind, record, row_number() OVER (ORDER BY change) AS place, row_number() OVER (PARTITION BY kind, record ORDER BY change) AS turn
                        FROM batch),
              turns AS (SELECT change, kind, record, row_number() OVER (PARTITION BY kind, record ORDER BY version) AS turn FROM batch)
         UPDATE change_log SET position = $1 - 1 + waiting.place
         FROM (SELECT turns.change, slots.place FROM turns JOIN slots ON slots.kind = turns.kind AND slots.record = turns.record AND slots.turn = turns.turn) AS waiting
         WHERE change_log.change = waiting.change",
        first,
        limit
    )?;
    Ok(i64::try_from(assigned).unwrap_or(0))
}

/// When positions were given last: the minute since 1970, and the civil day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Told {
    #[sqlx(rename = "told_minute")]
    pub minute: Option<i64>,
    #[sqlx(rename = "told_day")]
    pub day: Option<NaiveDate>,
}

/// The row under the leader's epoch, locked, with when positions were given last.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Locked {
    pub history: Uuid,
    pub next_position: i64,
    #[sqlx(flatten)]
    pub told: Told,
}

/// Locks the row under the leader's epoch; `None` where the epoch has passed.
pub async fn lock_next_position(tx: &mut Tx, epoch: i64) -> Result<Option<Locked>, StoreError> {
    one!(tx, Locked, "UPDATE feed_sequencer SET epoch = epoch WHERE epoch = $1 RETURNING history, next_position, told_minute, told_day", epoch)
}

/// Moves on to a next position, given in a minute of a civil day; the row as it then is.
pub async fn advance(tx: &mut Tx, epoch: i64, next_position: i64, minute: i64, day: NaiveDate) -> Result<Option<SequencerRow>, StoreError> {
    one!(
        tx,
        SequencerRow,
        "UPDATE feed_sequencer SET next_position = $2, beats = beats + 1, told_minute = $3, told_day = $4 WHERE epoch = $1
         RETURNING history, base_position, next_position, epoch, holder, beats",
        epoch,
        next_position,
        minute,
        day
    )
}

pub async fn change_at(tx: &mut Tx, position: i64) -> Result<Option<Uuid>, StoreError> {
    Ok(one!(tx, (Uuid,), "SELECT change FROM change_log WHERE position = $1", position)?.map(|(change,)| change))
}

/// The oldest position above another one.
pub async fn oldest_position_above(tx: &mut Tx, base: i64) -> Result<Option<i64>, StoreError> {
    Ok(one!(tx, (Option<i64>,), "SELECT min(position) FROM change_log WHERE position > $1", base)?.and_then(|(position,)| position))
}

/// When the change at a position was committed.
pub async fn committed_at(tx: &mut Tx, position: i64) -> Result<Option<i64>, StoreError> {
    Ok(one!(tx, (i64,), "SELECT at_us FROM change_log WHERE position = $1", position)?.map(|(at_us,)| at_us))
}

pub async fn changes_after(tx: &mut Tx, position: i64, limit: i64) -> Result<Vec<LoggedRow>, StoreError> {
    rows!(
        tx,
        LoggedRow,
        "SELECT position, change, kind, record, version, scope_before, scope, body, at_us, trace FROM change_log WHERE position > $1 ORDER BY position LIMIT $2",
        position,
        limit
    )
}

pub async fn latest_after(tx: &mut Tx, kind: i32, record: Uuid, scope: &str, limit: i64) -> Result<Vec<LatestRow>, StoreError> {
    rows!(
        tx,
        LatestRow,
        "SELECT s.kind, s.record, s.version, (SELECT c.change FROM change_log c WHERE c.kind = s.kind AND c.record = s.record AND c.version = s.version) AS change,
                s.body, s.at_us
         FROM shared_records s
         WHERE (s.kind, s.record) > ($1, $2) AND ($3 = '' OR (' ' || s.scope) LIKE '% ' || $3 || '%') ORDER BY s.kind, s.record LIMIT $4",
        kind,
        record,
        scope,
        limit
    )
}

/// Kinds of which anything is shared.
pub async fn kinds(tx: &mut Tx) -> Result<Vec<i32>, StoreError> {
    Ok(rows!(tx, (i32,), "SELECT DISTINCT kind FROM shared_records ORDER BY kind")?.into_iter().map(|(kind,)| kind).collect())
}

/// Which of these changes the log holds.
pub async fn known_changes(tx: &mut Tx, changes: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let known = rows!(tx, (Uuid,), sql!("SELECT change FROM change_log WHERE change" in_uuids 1), bulk_uuids(changes.iter().copied()))?;
    Ok(known.into_iter().map(|(change,)| change).collect())
}

/// When the oldest change that the log holds was committed.
pub async fn horizon_us(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    Ok(one!(tx, (Option<i64>,), "SELECT min(at_us) FROM change_log")?.and_then(|(at_us,)| at_us))
}

/// Changes that are forgotten in one transaction.
pub const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Forgets changes from before an instant, some at a time, but never the last: a cursor at the head must find its change. Which version was
/// told at which position is kept. Returns how many.
pub async fn trim(tx: &mut Tx, before_us: i64) -> Result<u64, StoreError> {
    // Read once: what gets its position meanwhile must not be forgotten without being kept.
    let head = one!(&mut *tx, (i64,), "SELECT next_position - 1 FROM feed_sequencer")?.map_or(0, |(head,)| head);
    run!(
        &mut *tx,
        "INSERT INTO known_versions (kind, record, version, position, change) SELECT kind, record, version, position, change FROM change_log
         WHERE position < $2 AND at_us < $1 ORDER BY position LIMIT $3
         ON CONFLICT (kind, record, version) DO NOTHING",
        before_us,
        head,
        FORGOTTEN_AT_ONCE
    )?;
    run!(
        tx,
        "DELETE FROM change_log WHERE position IN (SELECT c.position FROM change_log c WHERE c.position < $2 AND c.at_us < $1 ORDER BY c.position LIMIT $3)",
        before_us,
        head,
        FORGOTTEN_AT_ONCE
    )
}
