//! SQL of deputies.

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx, bulk_texts, bulk_uuids, one, rows, run, sql};

use super::NewDeputy;

/// Who stands in for whom, as it is bound: whoever does signs as a principal.
pub static DEPUTY: Kind = Kind {
    code: 5,
    name: "deputy",
    at_once: 2_000,
    say: |tx, keys| {
        Box::pin(async move {
            let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
            let found = rows!(
                tx,
                BoundRow,
                sql!("SELECT deputy, school, account, from_day, to_day, named_by, ended_day FROM deputies WHERE deputy" in_uuids 1),
                bulk_uuids(ids)
            )?;
            Ok(found.iter().map(|row| (Key::Id(row.deputy), row.said())).collect())
        })
    },
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            let found = rows!(
                tx,
                (Uuid,),
                "SELECT deputy FROM deputies WHERE deputy >= $1 AND ($2 IS NULL OR deputy <> $2) ORDER BY deputy LIMIT $3",
                after.unwrap_or_default(),
                after,
                limit
            )?;
            Ok(found.into_iter().map(|(deputy,)| Key::Id(deputy)).collect())
        })
    },
};

/// A deputy as it is bound.
#[derive(sqlx::FromRow)]
struct BoundRow {
    deputy: Uuid,
    school: String,
    account: String,
    from_day: NaiveDate,
    to_day: NaiveDate,
    named_by: String,
    ended_day: Option<NaiveDate>,
}

impl BoundRow {
    fn said(&self) -> Said {
        let Self { deputy, school, account, from_day, to_day, named_by, ended_day } = self;
        let said = Said::of("deputy").bytes(deputy.as_bytes()).text(school).text(account).text(named_by);
        [Some(*from_day), Some(*to_day), *ended_day].into_iter().fold(said, |said, day| said.number(day.map_or(0, |day| day.num_days_from_ce().into())))
    }
}

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
    ctx.make(&DEPUTY, [Key::Id(deputy)]);
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

/// Ends it, under the lock of its account.
pub async fn end(ctx: &Context, tx: &mut Tx, deputy: Uuid, day: NaiveDate) -> Result<(), Error> {
    ctx.touch(tx, &DEPUTY, [Key::Id(deputy)]).await?;
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
