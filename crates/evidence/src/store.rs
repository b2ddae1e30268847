//! SQL of evidence: its lines, and sealed files that no line asks for.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, bulk_uuids, one, rows, run, sql};

use crate::{kind::Kind, rules::State};

/// A line of evidence.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Id.
    pub evidence: Uuid,
    /// Kind of what it lies with, as its service numbers them.
    pub about: i32,
    /// What it lies with.
    pub subject: Uuid,
    /// Under what it lies in the vault.
    pub address: Vec<u8>,
    /// Keyed hash of its content.
    pub content_hash: Vec<u8>,
    /// What it is.
    #[sqlx(try_from = "i32")]
    pub kind: Kind,
    /// How large.
    pub bytes: i64,
    /// Its own name, sealed; none once it is gone.
    pub name_sealed: Option<Vec<u8>>,
    /// Where it stands.
    #[sqlx(try_from = "i32")]
    pub state: State,
    /// How far what it lies with had come when it was added.
    pub mark: i32,
    /// Account of who added it.
    pub added_by: String,
    /// By name.
    pub added_by_name: String,
    /// In which role.
    pub added_role: String,
    /// Civil day of that.
    pub added_day: NaiveDate,
    /// System time of that, in microseconds.
    pub added_at_us: i64,
    /// Who took it out, by name; empty where it lapsed or is there.
    pub left_by_name: String,
    /// Civil day of that.
    pub left_day: Option<NaiveDate>,
    /// Why.
    pub left_reason: String,
}

/// Writes down that a file is put into the vault, before it is.
pub(crate) async fn announce(tx: &mut Tx, evidence: Uuid, address: &[u8], due_us: i64) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO evidence_leaving (evidence, address, due_us, claimed) VALUES ($1, $2, $3, false)", evidence, address, due_us)?;
    Ok(())
}

/// Strikes out what a line asks for; whether it was there still.
pub(crate) async fn ask_for(tx: &mut Tx, evidence: Uuid) -> Result<bool, StoreError> {
    Ok(run!(tx, "DELETE FROM evidence_leaving WHERE evidence = $1 AND claimed = false", evidence)? == 1)
}

/// What nobody asked for is due at once.
pub(crate) async fn give_up(tx: &mut Tx, evidence: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE evidence_leaving SET due_us = 0 WHERE evidence = $1 AND claimed = false", evidence)?;
    Ok(())
}

/// Files whose time has come: no line can ask for them from now on. What was claimed and not taken away is claimed again.
pub(crate) async fn claim(tx: &mut Tx, now_us: i64, most: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(
        tx,
        (Uuid, Vec<u8>),
        "UPDATE evidence_leaving SET claimed = true
         WHERE evidence IN (SELECT evidence FROM evidence_leaving WHERE due_us <= $1 ORDER BY due_us, evidence LIMIT $2) RETURNING evidence, address",
        now_us,
        most
    )
}

/// They are gone.
pub(crate) async fn gone(tx: &mut Tx, evidence: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM evidence_leaving WHERE claimed = true AND evidence" in_uuids 1), bulk_uuids(evidence.iter().copied()))?;
    Ok(())
}

/// They could not be taken away: no line may ask for them, and they are tried again.
pub(crate) async fn put_off(tx: &mut Tx, evidence: &[Uuid], due_us: i64) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE evidence_leaving SET due_us = $2 WHERE claimed = true AND evidence" in_uuids 1), bulk_uuids(evidence.iter().copied()), due_us)?;
    Ok(())
}

pub(crate) async fn insert(tx: &mut Tx, row: &Row) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO evidence (evidence, about, subject, address, content_hash, kind, bytes, name_sealed, state, mark, added_by, added_by_name, added_role,
             added_day, added_at_us, left_by_name, left_day, left_reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', NULL, '')",
        row.evidence,
        row.about,
        row.subject,
        &row.address[..],
        &row.content_hash[..],
        row.kind.code(),
        row.bytes,
        row.name_sealed.as_deref(),
        row.state.code(),
        row.mark,
        &row.added_by,
        &row.added_by_name,
        &row.added_role,
        row.added_day,
        row.added_at_us
    )?;
    Ok(())
}

/// How many files an account added since a time, and how many bytes.
pub(crate) async fn added_since(tx: &mut Tx, account: &str, since_us: i64) -> Result<(i64, i64), StoreError> {
    let added = one!(
        tx,
        (i64, i64),
        sql!(
            "SELECT count(*), " only(sqlite "coalesce(sum(bytes), 0)", postgres "coalesce(sum(bytes), 0)::bigint")
            " FROM evidence WHERE added_by = $1 AND added_at_us > $2"
        ),
        account,
        since_us
    )?;
    Ok(added.unwrap_or_default())
}

/// What lies, or lay, with something, in the order in which it was added.
pub(crate) async fn of_subject(tx: &mut Tx, about: i32, subject: Uuid) -> Result<Vec<Row>, StoreError> {
    rows!(tx, Row, "SELECT * FROM evidence WHERE subject = $2 AND about = $1 ORDER BY evidence", about, subject)
}

pub(crate) async fn row(tx: &mut Tx, evidence: Uuid) -> Result<Option<Row>, StoreError> {
    one!(tx, Row, "SELECT * FROM evidence WHERE evidence = $1", evidence)
}

/// What may have been kept long enough, the oldest first, after a line.
pub(crate) async fn added_before(tx: &mut Tx, day: NaiveDate, after: (NaiveDate, Uuid), most: i64) -> Result<Vec<(Uuid, i32, Uuid, NaiveDate)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32, Uuid, NaiveDate),
        "SELECT evidence, about, subject, added_day FROM evidence
         WHERE state = $1 AND added_day < $2 AND (added_day, evidence) > ($3, $4) ORDER BY added_day, evidence LIMIT $5",
        State::Kept.code(),
        day,
        after.0,
        after.1,
        most
    )
}

/// How lines leave: who, when, why.
#[derive(Debug)]
pub(crate) struct Leaving<'l> {
    pub state: State,
    pub by_name: &'l str,
    pub reason: &'l str,
}

/// Lines leave, and with them their names; their files are due at once.
pub(crate) async fn leave(ctx: &Context, tx: &mut Tx, evidence: &[Uuid], leaving: Leaving<'_>) -> Result<(), StoreError> {
    due_at_once(tx, evidence).await?;
    run!(
        tx,
        sql!("UPDATE evidence SET state = $2, name_sealed = NULL, left_by_name = $3, left_day = $4, left_reason = $5 WHERE evidence" in_uuids 1),
        bulk_uuids(evidence.iter().copied()),
        leaving.state.code(),
        leaving.by_name,
        ctx.today(),
        leaving.reason
    )?;
    Ok(())
}

async fn due_at_once(tx: &mut Tx, evidence: &[Uuid]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO evidence_leaving (evidence, address, due_us, claimed)
             SELECT evidence, address, 0, false FROM evidence WHERE state = $2 AND evidence" in_uuids 1
        ),
        bulk_uuids(evidence.iter().copied()),
        State::Kept.code()
    )?;
    Ok(())
}
