//! SQL of what the source forgot.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_bridge::Kind;
use xuezhu_service::Context;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::State;

#[derive(Debug, Serialize)]
pub struct NewRow {
    pub forgotten: Hex,
    pub kind: i32,
    pub record: Hex,
    pub school: String,
    pub name: String,
    pub story: Hex,
    pub facts: String,
}

#[derive(Debug, Serialize)]
pub struct KeyRow {
    pub forgotten: Hex,
    pub person_key: Hex,
}

/// A record that was forgotten.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ForgottenRow {
    pub forgotten: Uuid,
    pub kind: i32,
    pub record: Uuid,
    pub school: String,
    pub name: String,
    pub story: Uuid,
    pub facts: String,
    pub noticed_at_us: i64,
    pub noticed_day: NaiveDate,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub ended_day: Option<NaiveDate>,
    pub ended_by_name: String,
    pub reason: String,
    pub school_name: String,
    pub authority: String,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, forgotten: &[NewRow]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO forgotten (forgotten, kind, record, school, name, story, facts, noticed_at_us, noticed_day, state, ended_at_us, ended_by, ended_by_name, reason)
             SELECT t.forgotten, t.kind, t.record, t.school, t.name, t.story, t.facts, $2, $3, $4, 0, '', '', ''
             FROM " table 1 (forgotten uuid, kind integer, record uuid, school text, name text, story uuid, facts text)
        ),
        bulk_rows(forgotten),
        ctx.now_us(),
        ctx.today(),
        State::Open.code()
    )?;
    Ok(())
}

pub async fn insert_keys(tx: &mut Tx, keys: &[KeyRow]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("INSERT INTO forgotten_keys (forgotten, person_key) SELECT t.forgotten, t.person_key FROM " table 1 (forgotten uuid, person_key uuid) " WHERE true ON CONFLICT DO NOTHING"),
        bulk_rows(keys)
    )?;
    Ok(())
}

const COLUMNS_OPEN: &str =
    "SELECT f.forgotten, f.kind, f.record, f.school, f.name, f.story, f.facts, f.noticed_at_us, f.noticed_day, f.state, f.ended_day, f.ended_by_name,
        f.reason, coalesce(s.name, '') AS school_name, coalesce(s.authority, '') AS authority
 FROM forgotten f LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
 WHERE f.state = 1";

pub async fn open(tx: &mut Tx) -> Result<Vec<ForgottenRow>, StoreError> {
    rows!(tx, ForgottenRow, COLUMNS_OPEN)
}

/// Keys of what is open.
pub async fn open_keys(tx: &mut Tx) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    rows!(tx, (Uuid, Uuid), "SELECT k.forgotten, k.person_key FROM forgotten_keys k JOIN forgotten f ON f.forgotten = k.forgotten WHERE f.state = 1")
}

pub async fn keys(tx: &mut Tx, forgotten: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(tx, (Uuid,), "SELECT person_key FROM forgotten_keys WHERE forgotten = $1", forgotten)?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

pub async fn end(ctx: &Context, tx: &mut Tx, forgotten: &[Uuid], state: State, reason: &str) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE forgotten SET state = $2, ended_at_us = $3, ended_day = $4, ended_by = $5, ended_by_name = $6, reason = $7
             WHERE state = 1 AND forgotten" in_uuids 1
        ),
        bulk_uuids(forgotten.iter().copied()),
        state.code(),
        ctx.now_us(),
        ctx.today(),
        &ctx.actor.account,
        &ctx.actor.display_name,
        reason
    )?;
    Ok(())
}

pub async fn lock(tx: &mut Tx, forgotten: Uuid) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE forgotten SET state = state WHERE forgotten = $1", forgotten)? == 1)
}

pub async fn one_row(tx: &mut Tx, forgotten: Uuid) -> Result<Option<ForgottenRow>, StoreError> {
    one!(
        tx,
        ForgottenRow,
        "SELECT f.forgotten, f.kind, f.record, f.school, f.name, f.story, f.facts, f.noticed_at_us, f.noticed_day, f.state, f.ended_day, f.ended_by_name, f.reason,
                coalesce(s.name, '') AS school_name, coalesce(s.authority, '') AS authority
         FROM forgotten f LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
         WHERE f.forgotten = $1",
        forgotten
    )
}

/// A page of records of a school, or of schools under departments, newest first.
pub async fn page(
    tx: &mut Tx,
    school: &str,
    authority_prefix: &str,
    open_only: bool,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ForgottenRow>, StoreError> {
    rows!(
        tx,
        ForgottenRow,
        "SELECT f.forgotten, f.kind, f.record, f.school, f.name, f.story, f.facts, f.noticed_at_us, f.noticed_day, f.state, f.ended_day, f.ended_by_name, f.reason,
                coalesce(s.name, '') AS school_name, coalesce(s.authority, '') AS authority
         FROM forgotten f LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
         WHERE ($1 = '' OR f.school = $1) AND ($2 = '' OR substr(s.authority, 1, length($2)) = $2) AND ($3 = 0 OR f.state = 1) AND ($4 IS NULL OR f.forgotten < $4)
         ORDER BY f.forgotten DESC LIMIT $5",
        school,
        authority_prefix,
        i32::from(open_only),
        before,
        limit
    )
}

pub async fn count_open(tx: &mut Tx, authority_prefix: &str, school: &str) -> Result<i64, StoreError> {
    let count = one!(
        tx,
        (i64,),
        "SELECT count(*) FROM forgotten f LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
         WHERE f.state = 1 AND ($1 = '' OR substr(s.authority, 1, length($1)) = $1) AND ($2 = '' OR f.school = $2)",
        authority_prefix,
        school
    )?;
    Ok(count.map_or(0, |(count,)| count))
}

/// Entries of lists whose number, or whose school, something open concerns.
pub async fn entries_concerned(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let entries = rows!(
        tx,
        (Uuid,),
        sql!(
            "SELECT a.entry FROM award_claims a
             WHERE (EXISTS (SELECT 1 FROM forgotten_keys k JOIN forgotten f ON f.forgotten = k.forgotten WHERE k.person_key = a.person_key AND f.state = 1)
                    OR EXISTS (SELECT 1 FROM award_lists l JOIN forgotten f ON f.school = l.school WHERE l.list = a.list AND f.kind = $2 AND f.state = 1))
               AND a.list" in_uuids 1
        ),
        bulk_uuids(lists.iter().copied()),
        Kind::School as i32
    )?;
    Ok(entries.into_iter().map(|(entry,)| entry).collect())
}
