//! Two persons open an account that signs, or that opens accounts: one opens it, or gives it a password, and another one confirms whose it is.
//! Until then nobody logs in with it. Whoever opened it can't be who confirms it; of a school's accounts its department may.

pub(super) mod api;

use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Refusal, Role, settings::Safeguards};
use xuezhu_store::Tx;

use super::{AccountRow, deputies, schools, store as accounts};

/// Accounts that are confirmed in one act, at most.
pub const AT_ONCE: usize = 500;
/// Accounts that are counted, at most.
const COUNTED: i64 = 200;

/// By whom an account of a role is opened, or given a password, that another one has to confirm; empty where nobody has to. One that logs in by a
/// second factor is nobody's who has the password alone.
pub fn by(ctx: &Context, safeguards: &Safeguards, role: Role, has_factor: bool) -> String {
    if safeguards.two_persons && role.needs_two() && !has_factor { ctx.actor.account.clone() } else { String::new() }
}

/// The same of an account that is there: whoever stands in for a principal, or will, signs as one.
pub async fn by_of(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, row: &AccountRow) -> Result<String, Error> {
    let opened = by(ctx, safeguards, row.actor(0)?.role, row.factor.is_some());
    let is_of_deputy = safeguards.two_persons && row.factor.is_none() && deputies::of_account(tx, &row.account, ctx.today()).await?.is_some();
    Ok(if is_of_deputy { ctx.actor.account.clone() } else { opened })
}

/// Leaves it to others to confirm an account, where it says of whom.
pub async fn leave_to_others(ctx: &Context, tx: &mut Tx, row: AccountRow, unconfirmed_of: String) -> Result<AccountRow, Error> {
    if unconfirmed_of.is_empty() {
        return Ok(row);
    }
    accounts::set_unconfirmed(ctx, tx, &[&row.account], &unconfirmed_of).await?;
    Ok(AccountRow { unconfirmed_of, ..row })
}

/// Confirms accounts, all or none; those that nobody has to confirm any more stay as they are.
pub async fn confirm(ctx: &Context, tx: &mut Tx, names: &[String]) -> Result<Vec<AccountRow>, Error> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut errors = FieldErrors::default();
    let mut confirmed = Vec::new();
    for name in sorted {
        accounts::lock_account(tx, name).await?;
        let Some(row) = accounts::account(tx, name).await? else {
            // Who confirms nothing learns of none.
            may_at_all(ctx)?;
            return Err(Refusal::not_found(&format!("账号{name}")).into());
        };
        may(ctx, tx, &row).await?;
        if row.unconfirmed_of == ctx.actor.account {
            errors.add("accounts", format!("账号{name}由您开设（或由您重置密码、动态码），须由另一位管理员或其主管部门确认"));
        } else if row.account == ctx.actor.account {
            errors.add("accounts", "不能确认本人的账号");
        } else {
            confirmed.push(row);
        }
    }
    errors.check()?;
    let names: Vec<&str> = confirmed.iter().filter(|row| !row.unconfirmed_of.is_empty()).map(|row| row.account.as_str()).collect();
    accounts::set_unconfirmed(ctx, tx, &names, "").await?;
    ctx.also("ConfirmAccount", names.into_iter().map(str::to_owned));
    Ok(confirmed.into_iter().map(|row| AccountRow { unconfirmed_of: String::new(), ..row }).collect())
}

/// Whether the actor confirms the account: of a school, or of a region.
async fn may(ctx: &Context, tx: &mut Tx, row: &AccountRow) -> Result<(), Error> {
    if row.actor(0)?.role.is_of_school()
        && let Some(school) = schools::found(tx, &row.organisation).await?
    {
        return ctx.may(Permission::ConfirmAccounts, &school.place());
    }
    ctx.may(Permission::ConfirmAccounts, &Place::Region(&row.organisation))
}

/// Whether the actor confirms accounts anywhere.
fn may_at_all(ctx: &Context) -> Result<(), Error> {
    let own = ctx.actor.organisation.as_str();
    ctx.may(Permission::ConfirmAccounts, &Place::Region(own)).or_else(|_| ctx.may(Permission::ConfirmAccounts, &Place::School { code: "", authority: own }))
}

/// Accounts that wait for a second person whom the actor can be, after one by name; the actor's own doing among them.
pub async fn waiting(ctx: &Context, tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<AccountRow>, Error> {
    may_at_all(ctx)?;
    let is_department = ctx.actor.role != Role::Administrator;
    Ok(accounts::unconfirmed_after(tx, &ctx.actor.organisation, is_department, after, limit).await?)
}

/// How many accounts wait for the actor, up to [`COUNTED`]; none where the actor confirms none.
pub async fn wait_for(ctx: &Context, tx: &mut Tx) -> Result<i32, Error> {
    if may_at_all(ctx).is_err() {
        return Ok(0);
    }
    let waiting = waiting(ctx, tx, "", COUNTED).await?;
    let others = waiting.iter().filter(|row| row.unconfirmed_of != ctx.actor.account).count();
    Ok(i32::try_from(others).unwrap_or(i32::MAX))
}
