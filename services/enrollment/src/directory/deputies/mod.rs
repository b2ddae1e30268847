//! Who stands in for a principal who is away: named by the principal, an account of the same school, from one day to another. Whoever
//! it is says so in their token, so that every service knows without asking.

pub mod api;
mod store;

use chrono::{Days, NaiveDate};
use uuid::Uuid;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Reason, Refusal, Role, StandsIn};
use xuezhu_store::Tx;

pub use self::store::{DEPUTY, DeputyRow, named};
use super::{school_for, store as accounts};

/// How long somebody may stand in, in days.
const DAYS: u64 = 366;

/// A deputy to be named.
#[derive(Debug, Clone)]
pub struct NewDeputy {
    /// School.
    pub school: String,
    /// Account.
    pub account: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Why.
    pub reason: String,
}

/// The principal names a deputy.
pub async fn name(ctx: &Context, tx: &mut Tx, new: &NewDeputy) -> Result<DeputyRow, Error> {
    let school = school_for(ctx, tx, &new.school, Permission::Attest).await?;
    principal_alone(ctx)?;
    let mut errors = FieldErrors::default();
    let account = accounts::account(tx, &new.account).await?;
    let fits = |row: &accounts::AccountRow| row.organisation == school.code && row.role == Role::SchoolClerk.as_str() && !row.disabled;
    if !account.as_ref().is_some_and(fits) {
        errors.add("account", "应为本校未停用的经办人账号");
    }
    if new.from < ctx.today() {
        errors.add("from_date", "不能早于今天");
    }
    if new.to < new.from || new.to > new.from + Days::new(DAYS) {
        errors.add("to_date", "应不早于起始日期，且不超过一年");
    }
    errors.check()?;
    let deputy = ctx.new_id();
    store::insert(ctx, tx, deputy, new).await?;
    one(tx, &school.code, deputy).await
}

/// The principal ends it; the account's sessions are over, for their tokens say that it stands in.
pub async fn end(ctx: &Context, tx: &mut Tx, school: &str, deputy: Uuid) -> Result<DeputyRow, Error> {
    let school = school_for(ctx, tx, school, Permission::Attest).await?;
    principal_alone(ctx)?;
    let named = one(tx, &school.code, deputy).await?;
    accounts::lock_account(tx, &named.account).await?;
    let row = one(tx, &school.code, deputy).await?;
    if row.ended_day.is_some() || row.to_day < ctx.today() {
        return Err(Refusal::wrong_state("该委托已经结束").into());
    }
    store::end(ctx, tx, deputy, ctx.today()).await?;
    if let Some(account) = accounts::account(tx, &row.account).await? {
        accounts::end_sessions(tx, &row.account, account.next_us(ctx.now_us())).await?;
    }
    one(tx, &school.code, deputy).await
}

/// Every deputy of a school, the latest first.
pub async fn list(ctx: &Context, tx: &mut Tx, school: &str) -> Result<Vec<DeputyRow>, Error> {
    let school = school_for(ctx, tx, school, Permission::ReadDirectory).await?;
    Ok(store::of_school(tx, &school.code).await?)
}

/// When an account stands in, or will next: what its token says.
pub(super) async fn of_account(tx: &mut Tx, account: &str, today: NaiveDate) -> Result<Option<StandsIn>, Error> {
    Ok(store::next_of_account(tx, account, today).await?.map(|(from, to)| StandsIn { from, to }))
}

/// Whether an account stands in today.
pub(super) async fn stands_in(ctx: &Context, tx: &mut Tx, account: &str) -> Result<bool, Error> {
    Ok(of_account(tx, account, ctx.today()).await?.is_some_and(|stands| stands.from <= ctx.today()))
}

/// Whoever stands in names nobody to stand in for them.
fn principal_alone(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.role == Role::Principal { Ok(()) } else { Err(Refusal::new(Reason::Forbidden, "只有校长本人可以委托和结束委托").into()) }
}

async fn one(tx: &mut Tx, school: &str, deputy: Uuid) -> Result<DeputyRow, Error> {
    store::one(tx, school, deputy).await?.ok_or_else(|| Refusal::not_found("该委托").into())
}
