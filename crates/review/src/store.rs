//! SQL of dossiers: what waits at which desk, their items and sheets, their kept history, and the chains.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_audit::written::Key;
use xuezhu_service::{Context, paging::Turn};
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_texts, bulk_uuids, one, rows, run, sql};

use crate::{
    Dossier, bound,
    way::{Act, ItemState, Seat, Stand, State},
};

/// A step of a dossier, as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StandRow {
    pub seat: String,
    pub duty: i32,
    pub working_days: i32,
}

/// An item as it waits or left.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ItemRow {
    /// Id.
    pub item: Uuid,
    /// Its place on the sheet, from 0.
    pub ordinal: i32,
    /// Hash of the content that was submitted.
    pub content_hash: Vec<u8>,
    /// Name.
    pub name: String,
    /// Cells of its line, as JSON.
    pub line: String,
    /// Where it stands.
    #[sqlx(try_from = "i32")]
    pub state: ItemState,
    /// Why it could not be performed; empty where nothing is known against it.
    pub refusal: String,
    /// Why it left.
    pub reason: String,
    /// The act by which it was performed or left; -1 before.
    pub act: i32,
    /// The student's class.
    pub class_name: String,
}

/// The lines of a sheet that are about students of one class.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ClassRow {
    /// Name of the class; empty for lines that are of none.
    pub class_name: String,
    /// Lines.
    pub lines: i64,
    /// Thereof those that wait.
    pub waiting: i64,
}

/// A line of a dossier's history.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ActRow {
    /// Its place, from 0.
    pub ordinal: i32,
    /// At which step.
    pub step: i32,
    /// What.
    #[sqlx(try_from = "i32")]
    pub act: Act,
    /// Who; empty where a database of before did not keep it.
    pub account: String,
    /// By name; empty where it was not kept.
    pub name: String,
    /// In which role; empty where it was not kept.
    pub role: String,
    /// Civil day; none where it was not kept.
    pub day: Option<NaiveDate>,
    /// System time in microseconds; 0 where it was not kept.
    pub at_us: i64,
    /// Why, or to whom.
    pub reason: String,
    /// What it covers.
    pub digest: String,
    /// How many items it covers.
    pub items: i32,
    /// How many of them it performed.
    pub performed: i32,
}

#[derive(Debug, Serialize)]
pub(crate) struct NewStep {
    pub step: i32,
    pub seat: String,
    pub duty: i32,
    pub working_days: i32,
}

#[derive(Debug, Serialize)]
pub(crate) struct NewItem {
    pub item: Hex,
    pub ordinal: i32,
    pub content_hash: Bytes,
    pub name: String,
    pub line: String,
    pub class_name: String,
}

/// Where items of a dossier stand, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    /// They wait.
    pub waiting: i64,
    /// They were performed.
    pub performed: i64,
    /// They left.
    pub left_count: i64,
}

/// A dossier begins, with the first line of its history, which follows.
pub(crate) async fn insert_dossier(tx: &mut Tx, dossier: &Dossier) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO dossiers (dossier, kind, school, authority, subject, title, state, step, waits_at, above, since_day, working_days, signatures,
             holder, holder_name, nudged_day, nudges, digest, waiting, performed, left_count, submitted_by, submitted_by_name, submitted_day, submitted_at_us, ended_day, acts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $18, 0, '', '', NULL, 0, $12, $13, 0, 0, $14, $15, $16, $17, NULL, 1)",
        dossier.dossier,
        dossier.kind,
        &dossier.school,
        &dossier.authority,
        dossier.subject,
        &dossier.title,
        dossier.state.code(),
        dossier.step,
        &dossier.waits_at,
        &dossier.above,
        dossier.since_day,
        &dossier.digest,
        dossier.waiting,
        &dossier.submitted_by,
        &dossier.submitted_by_name,
        dossier.submitted_day,
        dossier.submitted_at_us,
        dossier.working_days
    )?;
    Ok(())
}

pub(crate) async fn insert_steps(tx: &mut Tx, dossier: Uuid, steps: &[NewStep]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO dossier_steps (dossier, step, seat, duty, working_days)
             SELECT $2, t.step, t.seat, t.duty, t.working_days FROM " table 1 (step integer, seat text, duty integer, working_days integer)
        ),
        bulk_rows(steps),
        dossier
    )?;
    Ok(())
}

pub(crate) async fn insert_items(tx: &mut Tx, dossier: Uuid, items: &[NewItem]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO dossier_items (dossier, item, ordinal, content_hash, name, line, state, refusal, reason, act, class_name)
             SELECT $2, t.item, t.ordinal, t.content_hash, t.name, t.line, $3, '', '', -1, t.class_name
             FROM " table 1 (item uuid, ordinal integer, content_hash bytea, name text, line text, class_name text)
        ),
        bulk_rows(items),
        dossier,
        ItemState::Waiting.code()
    )?;
    Ok(())
}

/// Adds a line to the history of a dossier as it is now: at its step, with its digest.
pub(crate) async fn insert_act(ctx: &Context, tx: &mut Tx, dossier: &Dossier, act: Act, reason: &str, items: i32, performed: i32) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO dossier_acts (dossier, ordinal, step, act, account, name, role, day, at_us, reason, digest, items, performed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        dossier.dossier,
        dossier.acts,
        dossier.step,
        act.code(),
        &ctx.actor.account,
        &ctx.actor.display_name,
        role_in(ctx, dossier, act),
        ctx.today(),
        ctx.now_us(),
        reason,
        &dossier.digest,
        items,
        performed
    )?;
    Ok(())
}

/// In which role an act is kept: whoever stands in for the principal does what is that desk's in that role, and what is the clerks' as a clerk.
fn role_in(ctx: &Context, dossier: &Dossier, act: Act) -> &'static str {
    /// Somebody stood in for the principal.
    const DEPUTY: &str = "PRINCIPAL_DEPUTY";
    let is_of_desk = match act {
        Act::Sign | Act::SendBack | Act::Refuse | Act::Note | Act::HandOver => true,
        Act::Submit | Act::Order | Act::Recall | Act::Nudge => false,
    };
    if is_of_desk && ctx.stands_in() && matches!(dossier.seat(), Some(Seat::Principal(_))) { DEPUTY } else { ctx.actor.role.as_str() }
}

/// Locks a dossier: two who act on it at once take turns.
pub(crate) async fn lock(tx: &mut Tx, dossier: Uuid) -> Result<Option<Dossier>, StoreError> {
    one!(tx, Dossier, "UPDATE dossiers SET state = state WHERE dossier = $1 RETURNING *", dossier)
}

/// A line of the history of a dossier of before.
#[derive(Debug, Serialize)]
pub(crate) struct FormerAct {
    pub ordinal: i32,
    pub step: i32,
    pub act: i32,
    pub account: String,
    pub name: String,
    pub role: String,
    pub day: Option<NaiveDate>,
    pub at_us: i64,
    pub reason: String,
    pub digest: String,
    pub items: i32,
    pub performed: i32,
}

pub(crate) async fn insert_acts(tx: &mut Tx, dossier: Uuid, acts: &[FormerAct]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO dossier_acts (dossier, ordinal, step, act, account, name, role, day, at_us, reason, digest, items, performed)
             SELECT $2, t.ordinal, t.step, t.act, t.account, t.name, t.role, t.day, t.at_us, t.reason, t.digest, t.items, t.performed
             FROM " table 1 (ordinal integer, step integer, act integer, account text, name text, role text, day date, at_us bigint, reason text, digest text,
                items integer, performed integer)
        ),
        bulk_rows(acts),
        dossier
    )?;
    Ok(())
}

pub(crate) async fn dossier(tx: &mut Tx, dossier: Uuid) -> Result<Option<Dossier>, StoreError> {
    one!(tx, Dossier, "SELECT * FROM dossiers WHERE dossier = $1", dossier)
}

/// Writes where a dossier stands after an act.
pub(crate) async fn save(tx: &mut Tx, dossier: &Dossier) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE dossiers SET state = $2, step = $3, waits_at = $4, above = $5, since_day = $6, holder = $7, holder_name = $8, nudged_day = $9, nudges = $10,
             digest = $11, waiting = $12, performed = $13, left_count = $14, ended_day = $15, acts = $16, working_days = $17, signatures = $18
         WHERE dossier = $1",
        dossier.dossier,
        dossier.state.code(),
        dossier.step,
        &dossier.waits_at,
        &dossier.above,
        dossier.since_day,
        &dossier.holder,
        &dossier.holder_name,
        dossier.nudged_day,
        dossier.nudges,
        &dossier.digest,
        dossier.waiting,
        dossier.performed,
        dossier.left_count,
        dossier.ended_day,
        dossier.acts,
        dossier.working_days,
        dossier.signatures
    )?;
    Ok(())
}

/// Writes what is enclosed, and the digest that covers it.
pub(crate) async fn set_enclosed(tx: &mut Tx, dossier: Uuid, enclosed: &str, digest: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE dossiers SET enclosed = $2, digest = $3 WHERE dossier = $1", dossier, enclosed, digest)?;
    Ok(())
}

/// Those of these dossiers that are finished: since which day, and how many items each performed.
pub(crate) async fn ended(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<(Uuid, NaiveDate, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, NaiveDate, i32),
        sql!("SELECT dossier, ended_day, performed FROM dossiers WHERE ended_day IS NOT NULL AND dossier" in_uuids 1),
        bulk_uuids(dossiers.iter().copied())
    )
}

pub(crate) async fn stands(tx: &mut Tx, dossier: Uuid) -> Result<Vec<Stand>, StoreError> {
    let found = rows!(tx, StandRow, "SELECT seat, duty, working_days FROM dossier_steps WHERE dossier = $1 ORDER BY step", dossier)?;
    found.into_iter().map(|row| stand(&row.seat, row.duty, row.working_days)).collect()
}

fn stand(seat: &str, duty: i32, working_days: i32) -> Result<Stand, StoreError> {
    let seat: Seat = seat.parse().map_err(|_| StoreError::Corrupt("seat"))?;
    let duty = duty.try_into().map_err(|_| StoreError::Corrupt("duty"))?;
    Ok(Stand { seat, duty, working_days: u32::try_from(working_days).map_err(|_| StoreError::Corrupt("working days"))? })
}

/// A desk of one of several dossiers.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct DeskRow {
    pub dossier: Uuid,
    pub seat: String,
    pub duty: i32,
    pub working_days: i32,
}

/// The desks of dossiers, each dossier's in order.
pub(crate) async fn desks(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<(Uuid, Stand)>, StoreError> {
    let found = rows!(
        tx,
        DeskRow,
        sql!("SELECT dossier, seat, duty, working_days FROM dossier_steps WHERE dossier" in_uuids 1 " ORDER BY dossier, step"),
        bulk_uuids(dossiers.iter().copied())
    )?;
    found.into_iter().map(|row| Ok((row.dossier, stand(&row.seat, row.duty, row.working_days)?))).collect()
}

/// A signature under a dossier.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Signature {
    /// The dossier.
    pub dossier: Uuid,
    /// At which step.
    pub step: i32,
    /// Who, by name.
    pub name: String,
}

/// The signatures under dossiers, each dossier's in order.
pub(crate) async fn signatures(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<Signature>, StoreError> {
    rows!(
        tx,
        Signature,
        sql!("SELECT dossier, step, name FROM dossier_acts WHERE act = $2 AND dossier" in_uuids 1 " ORDER BY dossier, ordinal"),
        bulk_uuids(dossiers.iter().copied()),
        Act::Sign.code()
    )
}

/// Something that was done with a dossier about something: at whose desk, by whom.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ActAbout {
    /// What the dossier is about.
    pub subject: Uuid,
    /// What.
    #[sqlx(try_from = "i32")]
    pub act: Act,
    /// Seat of the desk, as stored.
    pub seat: String,
    /// Who, by name; empty where it was not kept.
    pub name: String,
    /// Civil day; none where it was not kept.
    pub day: Option<NaiveDate>,
    /// How many items it performed.
    pub performed: i32,
}

/// Who submitted and signed the dossiers of a kind about these, in order.
pub(crate) async fn acts_about(tx: &mut Tx, kind: i32, subjects: &[Uuid]) -> Result<Vec<ActAbout>, StoreError> {
    rows!(
        tx,
        ActAbout,
        sql!(
            "SELECT d.subject, a.act, s.seat, a.name, a.day, a.performed
             FROM dossiers d JOIN dossier_acts a ON a.dossier = d.dossier JOIN dossier_steps s ON s.dossier = a.dossier AND s.step = a.step
             WHERE d.kind = $2 AND (a.act = $3 OR a.act = $4) AND d.subject" in_uuids 1 " ORDER BY a.at_us, d.dossier, a.ordinal"
        ),
        bulk_uuids(subjects.iter().copied()),
        kind,
        Act::Submit.code(),
        Act::Sign.code()
    )
}

/// Who signed which step.
pub(crate) async fn signers(tx: &mut Tx, dossier: Uuid) -> Result<Vec<(i32, String)>, StoreError> {
    rows!(tx, (i32, String), "SELECT DISTINCT step, account FROM dossier_acts WHERE dossier = $1 AND act = $2", dossier, Act::Sign.code())
}

/// The history of a dossier.
pub(crate) async fn acts(tx: &mut Tx, dossier: Uuid) -> Result<Vec<ActRow>, StoreError> {
    rows!(
        tx,
        ActRow,
        "SELECT ordinal, step, act, account, name, role, day, at_us, reason, digest, items, performed FROM dossier_acts WHERE dossier = $1 ORDER BY ordinal",
        dossier
    )
}

/// What its first line says why.
pub(crate) async fn reason(tx: &mut Tx, dossier: Uuid) -> Result<String, StoreError> {
    let first = one!(tx, (String,), "SELECT reason FROM dossier_acts WHERE dossier = $1 AND ordinal = 0", dossier)?;
    Ok(first.map(|(reason,)| reason).unwrap_or_default())
}

/// Items that are in a dossier still, with the contents that were submitted.
pub(crate) async fn items_there(tx: &mut Tx, dossier: Uuid) -> Result<Vec<(Uuid, Vec<u8>, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, Vec<u8>, i32),
        "SELECT item, content_hash, state FROM dossier_items WHERE dossier = $1 AND state < $2 ORDER BY ordinal",
        dossier,
        ItemState::FIRST_LEFT
    )
}

/// Where the items of dossiers stand, counted anew.
pub(crate) async fn counted(tx: &mut Tx, dossier: Uuid) -> Result<Counts, StoreError> {
    let counts = one!(
        tx,
        Counts,
        "SELECT coalesce(sum(CASE WHEN state = $2 THEN 1 ELSE 0 END), 0) AS waiting, coalesce(sum(CASE WHEN state = $3 THEN 1 ELSE 0 END), 0) AS performed,
                coalesce(sum(CASE WHEN state >= $4 THEN 1 ELSE 0 END), 0) AS left_count
         FROM dossier_items WHERE dossier = $1",
        dossier,
        ItemState::Waiting.code(),
        ItemState::Performed.code(),
        ItemState::FIRST_LEFT
    )?;
    Ok(counts.unwrap_or_default())
}

/// Items are performed, or leave: by which act, and why.
pub(crate) async fn set_items(tx: &mut Tx, dossier: Uuid, items: &[Uuid], state: ItemState, act: i32, reason: &str) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE dossier_items SET state = $3, act = $4, reason = $5, refusal = '' WHERE dossier = $2 AND item" in_uuids 1),
        bulk_uuids(items.iter().copied()),
        dossier,
        state.code(),
        act,
        reason
    )?;
    Ok(())
}

/// An item that could not be performed.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedItem<'r> {
    pub item: Hex,
    pub refusal: &'r str,
}

/// Notes which of the waiting items could not be performed, and why; of the others nothing is held against them any more.
pub(crate) async fn set_refusals(tx: &mut Tx, dossier: Uuid, refused: &[RefusedItem<'_>]) -> Result<(), StoreError> {
    run!(tx, "UPDATE dossier_items SET refusal = '' WHERE dossier = $1 AND state = $2 AND refusal <> ''", dossier, ItemState::Waiting.code())?;
    if !refused.is_empty() {
        run!(
            tx,
            sql!("UPDATE dossier_items SET refusal = t.refusal FROM " table 1 (item uuid, refusal text) " WHERE dossier_items.dossier = $2 AND dossier_items.item = t.item"),
            bulk_rows(refused),
            dossier
        )?;
    }
    Ok(())
}

/// Items that could not be performed.
pub(crate) async fn refused(tx: &mut Tx, dossier: Uuid) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), "SELECT item, refusal FROM dossier_items WHERE dossier = $1 AND refusal <> '' ORDER BY item", dossier)
}

/// A page of a sheet: of these lines.
pub(crate) async fn sheet(tx: &mut Tx, dossier: Uuid, (state, class_name): (Option<ItemState>, &str), turn: &Turn<i32>) -> Result<Vec<ItemRow>, StoreError> {
    rows!(
        tx,
        ItemRow,
        "SELECT item, ordinal, content_hash, name, line, state, refusal, reason, act, class_name FROM dossier_items
         WHERE dossier = $1 AND ($2 = 0 OR state = $2) AND ($3 = '' OR class_name = $3) AND ordinal > $4 ORDER BY ordinal LIMIT $5 OFFSET $6",
        dossier,
        state.map_or(0, ItemState::code),
        class_name,
        turn.after.unwrap_or(-1),
        turn.rows,
        turn.skip
    )
}

/// How many lines these are.
pub(crate) async fn lines(tx: &mut Tx, dossier: Uuid, (state, class_name): (Option<ItemState>, &str)) -> Result<i64, StoreError> {
    let count = one!(
        tx,
        (i64,),
        "SELECT count(*) FROM dossier_items WHERE dossier = $1 AND ($2 = 0 OR state = $2) AND ($3 = '' OR class_name = $3)",
        dossier,
        state.map_or(0, ItemState::code),
        class_name
    )?;
    Ok(count.map(|(count,)| count).unwrap_or_default())
}

/// A sheet by class.
pub(crate) async fn classes(tx: &mut Tx, dossier: Uuid) -> Result<Vec<ClassRow>, StoreError> {
    rows!(
        tx,
        ClassRow,
        "SELECT class_name, count(*) AS lines, CAST(sum(CASE WHEN state = $2 THEN 1 ELSE 0 END) AS bigint) AS waiting FROM dossier_items
         WHERE dossier = $1 GROUP BY class_name ORDER BY class_name",
        dossier,
        ItemState::Waiting.code()
    )
}

/// What was performed in the dossiers of a kind about these, by class.
pub(crate) async fn performed_by_class(tx: &mut Tx, kind: i32, subjects: &[Uuid]) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(
        tx,
        (String, i64),
        sql!(
            "SELECT i.class_name, count(*) FROM dossiers d JOIN dossier_items i ON i.dossier = d.dossier
             WHERE d.kind = $2 AND i.state = $3 AND d.subject" in_uuids 1 " GROUP BY i.class_name"
        ),
        bulk_uuids(subjects.iter().copied()),
        kind,
        ItemState::Performed.code()
    )
}

/// What waits at these seats, what waits longest first.
pub(crate) async fn waiting_at(tx: &mut Tx, seats: &[String], after: (NaiveDate, Uuid), limit: i64) -> Result<Vec<Dossier>, StoreError> {
    rows!(
        tx,
        Dossier,
        sql!(
            "SELECT * FROM dossiers WHERE waits_at" in_texts 1 " AND state < $2 AND (since_day, dossier) > ($3, $4) ORDER BY since_day, dossier LIMIT $5"
        ),
        bulk_texts(seats),
        State::FIRST_CLOSED,
        after.0,
        after.1,
        limit
    )
}

/// What has waited below these seats since a day or longer.
pub(crate) async fn waiting_below(tx: &mut Tx, seats: &[String], since: NaiveDate, after: (NaiveDate, Uuid), limit: i64) -> Result<Vec<Dossier>, StoreError> {
    rows!(
        tx,
        Dossier,
        sql!(
            "SELECT * FROM dossiers WHERE above" in_texts 1
            " AND state < $2 AND since_day <= $3 AND (since_day, dossier) > ($4, $5) ORDER BY since_day, dossier LIMIT $6"
        ),
        bulk_texts(seats),
        State::FIRST_CLOSED,
        since,
        after.0,
        after.1,
        limit
    )
}

/// What a school waits for, newest first.
pub(crate) async fn under_way_of(tx: &mut Tx, school: &str, limit: i64) -> Result<Vec<Dossier>, StoreError> {
    let closed = State::FIRST_CLOSED;
    rows!(tx, Dossier, "SELECT * FROM dossiers WHERE school = $1 AND state < $2 ORDER BY dossier DESC LIMIT $3", school, closed, limit)
}

/// How many dossiers wait at these seats, how many items in them, and how many below since a day or longer.
pub(crate) async fn waiting_counts(tx: &mut Tx, seats: &[String], since: NaiveDate) -> Result<(i64, i64, i64), StoreError> {
    let counts = one!(
        tx,
        (i64, i64, i64),
        sql!(
            "SELECT (SELECT count(*) FROM dossiers WHERE state < $2 AND waits_at" in_texts 1 "),
                    (SELECT coalesce(sum(waiting), 0) FROM dossiers WHERE state < $2 AND waits_at" in_texts 1 "),
                    (SELECT count(*) FROM dossiers WHERE state < $2 AND since_day <= $3 AND above" in_texts 1 ")"
        ),
        bulk_texts(seats),
        State::FIRST_CLOSED,
        since
    )?;
    Ok(counts.unwrap_or_default())
}

/// What dossiers are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this school; empty for all.
    pub school: String,
    /// Of schools whose authority begins so; empty for all.
    pub authority_prefix: String,
    /// Of this kind; 0 for all.
    pub kind: i32,
    /// Of none of these kinds: their codes, each between commas.
    pub without: String,
    /// In this state; 0 for all.
    pub state: i32,
    /// About this.
    pub subject: Option<Uuid>,
    /// With this item in them.
    pub item: Option<Uuid>,
    /// With somebody of this name on the sheet; empty for all.
    pub name: String,
    /// With items in them that wait, or with none.
    pub waits: Option<bool>,
    /// Where they wait, by how such seats begin, one letter each; empty for all.
    pub seats: &'static str,
}

/// Dossiers that are asked for, by what leads to them: each has an index.
macro_rules! asked {
    ($run:ident!($tx:ident, $row:ty), $select:literal, $leads:literal, $end:literal, $filter:ident $(, $more:expr)*) => {
        $run!(
            $tx,
            $row,
            concat!(
                $select,
                " FROM dossiers d WHERE ",
                $leads,
                " AND ($1 = '' OR d.school = $1) AND ($2 = '' OR substr(d.authority, 1, length($2)) = $2) AND ($3 = 0 OR d.kind = $3)
                  AND ($4 = 0 OR d.state = $4) AND ($5 IS NULL OR d.subject = $5)
                  AND ($6 IS NULL OR d.dossier IN (SELECT i.dossier FROM dossier_items i WHERE i.item = $6))
                  AND ($7 = '' OR d.dossier IN (SELECT i.dossier FROM dossier_items i WHERE i.name = $7))
                  AND ($8 = 0 OR ($8 = 1 AND d.waiting > 0) OR ($8 = 2 AND d.waiting = 0)) AND ($9 = '' OR $9 LIKE '%' || substr(d.waits_at, 1, 1) || '%')
                  AND ($10 = '' OR $10 NOT LIKE '%,' || d.kind || ',%')",
                $end
            ),
            &$filter.school,
            &$filter.authority_prefix,
            $filter.kind,
            $filter.state,
            $filter.subject,
            $filter.item,
            &$filter.name,
            $filter.waits.map_or(0, |waits| if waits { 1 } else { 2 }),
            $filter.seats,
            &$filter.without
            $(, $more)*
        )
    };
}

/// The same, whatever leads.
macro_rules! led {
    ($run:ident!($tx:ident, $row:ty), $select:literal, $end:literal, $filter:ident $(, $more:expr)*) => {
        if $filter.subject.is_some() {
            asked!($run!($tx, $row), $select, "d.subject = $5", $end, $filter $(, $more)*)
        } else if $filter.item.is_some() {
            asked!($run!($tx, $row), $select, "d.dossier IN (SELECT i.dossier FROM dossier_items i WHERE i.item = $6)", $end, $filter $(, $more)*)
        } else if !$filter.name.is_empty() {
            asked!($run!($tx, $row), $select, "d.dossier IN (SELECT i.dossier FROM dossier_items i WHERE i.name = $7)", $end, $filter $(, $more)*)
        } else if !$filter.school.is_empty() {
            asked!($run!($tx, $row), $select, "d.school = $1", $end, $filter $(, $more)*)
        } else {
            asked!($run!($tx, $row), $select, "d.dossier IS NOT NULL", $end, $filter $(, $more)*)
        }
    };
}

/// Dossiers, newest first.
pub(crate) async fn dossiers(tx: &mut Tx, filter: &Filter, turn: &Turn<Uuid>) -> Result<Vec<Dossier>, StoreError> {
    let end = (turn.after, turn.rows, turn.skip);
    led!(rows!(tx, Dossier), "SELECT *", " AND ($11 IS NULL OR d.dossier < $11) ORDER BY d.dossier DESC LIMIT $12 OFFSET $13", filter, end.0, end.1, end.2)
}

/// How many dossiers are asked for.
pub(crate) async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let count = led!(one!(tx, (i64,)), "SELECT count(*)", "", filter)?;
    Ok(count.map(|(count,)| count).unwrap_or_default())
}

/// The dossier of the same kind that the school submitted before one, and did not take back.
pub(crate) async fn previous(tx: &mut Tx, dossier: &Dossier) -> Result<Option<Uuid>, StoreError> {
    let found = one!(
        tx,
        (Uuid,),
        "SELECT dossier FROM dossiers WHERE school = $1 AND dossier < $2 AND kind = $3 AND state <> $4 ORDER BY dossier DESC LIMIT 1",
        &dossier.school,
        dossier.dossier,
        dossier.kind,
        State::Recalled.code()
    )?;
    Ok(found.map(|(dossier,)| dossier))
}

/// Those of these items that wait in a dossier of a kind: what is under way is not begun a second time.
pub(crate) async fn under_way(tx: &mut Tx, kind: i32, items: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    rows!(
        tx,
        (Uuid, Uuid),
        sql!(
            "SELECT i.item, i.dossier FROM dossier_items i JOIN dossiers d ON d.dossier = i.dossier WHERE d.kind = $2 AND i.state = $3 AND i.item" in_uuids 1
        ),
        bulk_uuids(items.iter().copied()),
        kind,
        ItemState::Waiting.code()
    )
}

/// Where items stand in the dossiers of a kind: item, dossier, state.
pub(crate) async fn standing_items(tx: &mut Tx, kind: i32, items: &[Uuid]) -> Result<Vec<(Uuid, Uuid, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, Uuid, i32),
        sql!("SELECT i.item, i.dossier, i.state FROM dossier_items i JOIN dossiers d ON d.dossier = i.dossier WHERE d.kind = $2 AND i.item" in_uuids 1),
        bulk_uuids(items.iter().copied()),
        kind
    )
}

/// Dossiers about these that wait, oldest first.
pub(crate) async fn open_about(tx: &mut Tx, kind: i32, subjects: &[Uuid]) -> Result<Vec<Dossier>, StoreError> {
    rows!(
        tx,
        Dossier,
        sql!("SELECT * FROM dossiers WHERE kind = $2 AND state < $3 AND subject" in_uuids 1 " ORDER BY dossier"),
        bulk_uuids(subjects.iter().copied()),
        kind,
        State::FIRST_CLOSED
    )
}

/// A chain as it was set.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ChainRow {
    /// Id.
    pub chain: Uuid,
    /// Of which kind.
    pub kind: i32,
    /// For whom: a school, a region with all below it, or, where it is empty, everybody.
    pub scope: String,
    /// First day on which dossiers begin with it.
    pub from_day: NaiveDate,
    /// The chain as it is written; empty where what holds above holds again.
    pub steps: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub recorded_by: String,
    /// By name.
    pub recorded_by_name: String,
    /// For whom whoever set it keeps the directory: a region, empty for everybody; none where a database of before did not keep it.
    pub recorded_for: Option<String>,
    /// When.
    pub recorded_at_us: i64,
}

/// Waits until nobody else sets chains.
pub(crate) async fn take_turn(tx: &mut Tx) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO chain_turns (only_row, turns) VALUES (1, 1) ON CONFLICT (only_row) DO UPDATE SET turns = chain_turns.turns + 1")?;
    Ok(())
}

/// Chains of a kind that hold for any of these scopes on a day.
pub(crate) async fn chains_for(tx: &mut Tx, kind: i32, scopes: &[String], day: NaiveDate) -> Result<Vec<ChainRow>, StoreError> {
    rows!(
        tx,
        ChainRow,
        sql!("SELECT * FROM chains WHERE kind = $2 AND from_day <= $3 AND scope" in_texts 1 " ORDER BY from_day, recorded_at_us, chain"),
        bulk_texts(scopes),
        kind,
        day
    )
}

/// Every chain that was set within a region, newest first.
pub(crate) async fn chains(tx: &mut Tx) -> Result<Vec<ChainRow>, StoreError> {
    rows!(tx, ChainRow, "SELECT * FROM chains ORDER BY kind, scope, from_day DESC, recorded_at_us DESC")
}

/// A chain as it is written.
#[derive(Debug, Serialize)]
struct NewChainRow<'r> {
    chain: Hex,
    kind: i32,
    scope: &'r str,
    from_day: NaiveDate,
    steps: &'r str,
    reason: &'r str,
}

impl<'r> NewChainRow<'r> {
    fn of(row: &'r ChainRow) -> Self {
        let ChainRow { chain, kind, scope, from_day, steps, reason, .. } = row;
        Self { chain: Hex(*chain), kind: *kind, scope, from_day: *from_day, steps, reason }
    }
}

pub(crate) async fn chain_ids_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT chain FROM chains WHERE chain >= $1 AND ($2 IS NULL OR chain <> $2) ORDER BY chain LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(chain,)| chain).collect())
}

pub(crate) async fn chains_of(tx: &mut Tx, chains: &[Uuid]) -> Result<Vec<ChainRow>, StoreError> {
    rows!(tx, ChainRow, sql!("SELECT * FROM chains WHERE chain" in_uuids 1), bulk_uuids(chains.iter().copied()))
}

/// Writes chains: they are only ever added.
pub(crate) async fn insert_chains(ctx: &Context, tx: &mut Tx, chains: &[ChainRow]) -> Result<(), StoreError> {
    ctx.make(&bound::CHAIN, chains.iter().map(|row| Key::Id(row.chain)));
    let rows: Vec<NewChainRow> = chains.iter().map(NewChainRow::of).collect();
    run!(
        tx,
        sql!(
            "INSERT INTO chains (chain, kind, scope, from_day, steps, reason, recorded_by, recorded_by_name, recorded_for, recorded_at_us)
             SELECT t.chain, t.kind, t.scope, t.from_day, t.steps, t.reason, $2, $3, $4, $5
             FROM " table 1 (chain uuid, kind integer, scope text, from_day date, steps text, reason text)
        ),
        bulk_rows(&rows),
        &ctx.actor.account,
        &ctx.actor.display_name,
        &ctx.actor.organisation,
        ctx.now_us()
    )?;
    Ok(())
}

/// A step, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StepOf {
    pub dossier: Uuid,
    pub step: i32,
    pub seat: String,
    pub duty: i32,
    pub working_days: i32,
}

/// An item, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ItemOf {
    pub dossier: Uuid,
    pub item: Uuid,
    pub ordinal: i32,
    pub content_hash: Vec<u8>,
    pub name: String,
    pub line: String,
    pub state: i32,
    pub refusal: String,
    pub reason: String,
    pub act: i32,
    pub class_name: String,
}

/// A line of a history, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ActOf {
    pub dossier: Uuid,
    pub ordinal: i32,
    pub step: i32,
    pub act: i32,
    pub account: String,
    pub name: String,
    pub role: String,
    pub day: Option<NaiveDate>,
    pub at_us: i64,
    pub reason: String,
    pub digest: String,
    pub items: i32,
    pub performed: i32,
}

/// Ids of dossiers after one, in order.
pub(crate) async fn ids_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    // Whoever adds one by hand may give it the first of all ids.
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT dossier FROM dossiers WHERE dossier >= $1 AND ($2 IS NULL OR dossier <> $2) ORDER BY dossier LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(dossier,)| dossier).collect())
}

pub(crate) async fn dossiers_of(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<Dossier>, StoreError> {
    rows!(tx, Dossier, sql!("SELECT * FROM dossiers WHERE dossier" in_uuids 1), bulk_uuids(dossiers.iter().copied()))
}

pub(crate) async fn steps_of(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<StepOf>, StoreError> {
    rows!(
        tx,
        StepOf,
        sql!("SELECT dossier, step, seat, duty, working_days FROM dossier_steps WHERE dossier" in_uuids 1 " ORDER BY dossier, step"),
        bulk_uuids(dossiers.iter().copied())
    )
}

pub(crate) async fn items_of(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<ItemOf>, StoreError> {
    rows!(
        tx,
        ItemOf,
        sql!(
            "SELECT dossier, item, ordinal, content_hash, name, line, state, refusal, reason, act, class_name FROM dossier_items
             WHERE dossier" in_uuids 1 " ORDER BY dossier, ordinal"
        ),
        bulk_uuids(dossiers.iter().copied())
    )
}

pub(crate) async fn acts_of(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<ActOf>, StoreError> {
    rows!(
        tx,
        ActOf,
        sql!(
            "SELECT dossier, ordinal, step, act, account, name, role, day, at_us, reason, digest, items, performed FROM dossier_acts
             WHERE dossier" in_uuids 1 " ORDER BY dossier, ordinal"
        ),
        bulk_uuids(dossiers.iter().copied())
    )
}
