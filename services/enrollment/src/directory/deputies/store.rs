//! SQL of deputies.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, bulk_texts, one, rows, run, sql};

use super::NewDeputy;

/// A deputy.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DeputyRow {
    /// Id.
    pub deputy: Uuid,
    /// School.
    pub school: String,
    /// Account that stands in.
    pub account: String,
    /// Name of the person.
    pub display_name: String,
    /// First day.
    pub from_day: NaiveDate,
    /// Last day.
    pub to_day: NaiveDate,
    /// Why.
    pub reason: String,
    /// Who named them.
    pub named_by_name: String,
    /// When, microseconds since 1970.
    pub named_at_us: i64,
    /// When it was ended before its last day.
    pub ended_day: Option<NaiveDate>,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, deputy: Uuid, new: &NewDeputy) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO deputies (deputy, school, account, from_day, to_day, reason, named_by, named_by_name, named_at_us, ended_day)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)",
        deputy,
        &new.school,
        &new.account,
        new.from,
        new.to,
        &new.reason,
        &ctx.actor.account,
        &ctx.actor.display_name,
        ctx.now_us()
    )?;
    Ok(())
}

pub async fn end(tx: &mut Tx, deputy: Uuid, day: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE deputies SET ended_day = $2 WHERE deputy = $1", deputy, day)?;
    Ok(())
}

pub async fn one(tx: &mut Tx, school: &str, deputy: Uuid) -> Result<Option<DeputyRow>, StoreError> {
    one!(
        tx,
        DeputyRow,
        "SELECT d.deputy, d.school, d.account, a.display_name, d.from_day, d.to_day, d.reason, d.named_by_name, d.named_at_us, d.ended_day
         FROM deputies d JOIN accounts a ON a.account = d.account WHERE d.school = $1 AND d.deputy = $2",
        school,
        deputy
    )
}

pub async fn of_school(tx: &mut Tx, school: &str) -> Result<Vec<DeputyRow>, StoreError> {
    rows!(
        tx,
        DeputyRow,
        "SELECT d.deputy, d.school, d.account, a.display_name, d.from_day, d.to_day, d.reason, d.named_by_name, d.named_at_us, d.ended_day
         FROM deputies d JOIN accounts a ON a.account = d.account WHERE d.school = $1 ORDER BY d.deputy DESC",
        school
    )
}

/// The days on which an account stands in, or will next.
pub async fn next_of_account(tx: &mut Tx, account: &str, today: NaiveDate) -> Result<Option<(NaiveDate, NaiveDate)>, StoreError> {
    one!(
        tx,
        (NaiveDate, NaiveDate),
        "SELECT from_day, to_day FROM deputies WHERE account = $1 AND to_day >= $2 AND ended_day IS NULL ORDER BY from_day LIMIT 1",
        account,
        today
    )
}

/// Those of these accounts that ever stood in for somebody, or will.
pub async fn named(tx: &mut Tx, accounts: &[String]) -> Result<Vec<String>, StoreError> {
    let found = rows!(tx, (String,), sql!("SELECT DISTINCT account FROM deputies WHERE account" in_texts 1), bulk_texts(accounts))?;
    Ok(found.into_iter().map(|(account,)| account).collect())
}
