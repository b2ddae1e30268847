//! The feed's SQL.

use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, json_rows, one, rows, run, sql};

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
    pub record: Uuid,
    pub version: i64,
    pub scope_before: String,
    pub scope: String,
    pub body: Vec<u8>,
    pub at_us: i64,
}

/// A record as it is now.
#[derive(Debug, sqlx::FromRow)]
pub struct LatestRow {
    pub kind: i32,
    pub record: Uuid,
    pub version: i64,
    pub body: Vec<u8>,
    pub at_us: i64,
}

/// The one row that positions come from.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SequencerRow {
    pub history: Uuid,
    pub next_position: i64,
}

pub async fn append_changes(tx: &mut Tx, changes: &[Change], at_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO change_log (change, kind, record, version, scope_before, scope, body, at_us)
             SELECT t.change, t.kind, t.record, coalesce(s.version, 0) + 1, coalesce(s.scope, ''), t.scope, t.body, $2
             FROM " table 1 (change uuid, kind integer, record uuid, scope text, body bytea) "
             LEFT JOIN shared_records s ON s.kind = t.kind AND s.record = t.record"
        ),
        json_rows(changes),
        at_us
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
        json_rows(changes),
        at_us
    )?;
    Ok(())
}

pub async fn sequencer(tx: &mut Tx) -> Result<Option<SequencerRow>, StoreError> {
    one!(tx, SequencerRow, "SELECT history, next_position FROM feed_sequencer")
}

pub async fn begin_history(tx: &mut Tx, history: Uuid) -> Result<u64, StoreError> {
    run!(
        tx,
        "INSERT INTO feed_sequencer (only_row, history, epoch, holder, lease_until_us, next_position) VALUES (1, $1, 0, $1, 0, 1)
         ON CONFLICT (only_row) DO NOTHING",
        history
    )
}

/// Takes the lease if it has run out or is the holder's own; the epoch rises, so that a former leader changes nothing more.
pub async fn take_lease(tx: &mut Tx, holder: Uuid, now_us: i64, until_us: i64) -> Result<Option<i64>, StoreError> {
    let taken = one!(
        tx,
        (i64,),
        "UPDATE feed_sequencer SET epoch = epoch + 1, holder = $1, lease_until_us = $3 WHERE lease_until_us <= $2 OR holder = $1 RETURNING epoch",
        holder,
        now_us,
        until_us
    )?;
    Ok(taken.map(|(epoch,)| epoch))
}

pub async fn renew_lease(tx: &mut Tx, epoch: i64, until_us: i64) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE feed_sequencer SET lease_until_us = $2 WHERE epoch = $1", epoch, until_us)? == 1)
}

pub async fn has_unsequenced(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM change_log WHERE position IS NULL LIMIT 1")?.is_some())
}

pub async fn oldest_unsequenced_us(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    Ok(one!(tx, (Option<i64>,), "SELECT min(at_us) FROM change_log WHERE position IS NULL")?.and_then(|(oldest,)| oldest))
}

/// Locks the row under the leader's epoch; `None` where the epoch has passed.
pub async fn lock_next_position(tx: &mut Tx, epoch: i64) -> Result<Option<i64>, StoreError> {
    let locked = one!(tx, (i64,), "UPDATE feed_sequencer SET epoch = epoch WHERE epoch = $1 RETURNING next_position", epoch)?;
    Ok(locked.map(|(position,)| position))
}

/// Gives positions to committed changes in the order of their ids; returns how many.
pub async fn assign_positions(tx: &mut Tx, first: i64, limit: i64) -> Result<i64, StoreError> {
    let assigned = run!(
        tx,
        "UPDATE change_log SET position = $1 - 1 + waiting.place
         FROM (SELECT change, row_number() OVER (ORDER BY change) AS place
               FROM (SELECT change FROM change_log WHERE position IS NULL ORDER BY change LIMIT $2) AS oldest) AS waiting
         WHERE change_log.change = waiting.change",
        first,
        limit
    )?;
    Ok(i64::try_from(assigned).unwrap_or(0))
}

pub async fn advance(tx: &mut Tx, epoch: i64, next_position: i64) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE feed_sequencer SET next_position = $2 WHERE epoch = $1", epoch, next_position)? == 1)
}

pub async fn change_at(tx: &mut Tx, position: i64) -> Result<Option<Uuid>, StoreError> {
    Ok(one!(tx, (Uuid,), "SELECT change FROM change_log WHERE position = $1", position)?.map(|(change,)| change))
}

pub async fn oldest_position(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    Ok(one!(tx, (Option<i64>,), "SELECT min(position) FROM change_log")?.and_then(|(position,)| position))
}

pub async fn changes_after(tx: &mut Tx, position: i64, limit: i64) -> Result<Vec<LoggedRow>, StoreError> {
    rows!(
        tx,
        LoggedRow,
        "SELECT position, change, record, version, scope_before, scope, body, at_us FROM change_log WHERE position > $1 ORDER BY position LIMIT $2",
        position,
        limit
    )
}

pub async fn latest_after(tx: &mut Tx, kind: i32, record: Uuid, scope: &str, limit: i64) -> Result<Vec<LatestRow>, StoreError> {
    rows!(
        tx,
        LatestRow,
        "SELECT kind, record, version, body, at_us FROM shared_records
         WHERE (kind, record) > ($1, $2) AND ($3 = '' OR (' ' || scope) LIKE '% ' || $3 || '%') ORDER BY kind, record LIMIT $4",
        kind,
        record,
        scope,
        limit
    )
}

/// Forgets changes from before an instant, but never the last: a cursor at the head must find its change.
pub async fn trim(tx: &mut Tx, before_us: i64) -> Result<u64, StoreError> {
    run!(tx, "DELETE FROM change_log WHERE position IS NOT NULL AND at_us < $1 AND position < (SELECT next_position - 1 FROM feed_sequencer)", before_us)
}
