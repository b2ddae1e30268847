//! Schools with their approved codes and majors; accounts, passwords, sessions.

pub mod api;
mod common;
pub mod confirmation;
pub mod deputies;
pub mod factor;
pub mod files;
pub mod idle;
pub mod log_in;
pub mod offices;
mod rules;
pub mod schools;
pub mod sessions;
mod store;
pub mod teachers;

use std::collections::HashMap;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use xuezhu_chain::Chain;
use xuezhu_service::{
    Actor, Context, Error, Permission, Place, Reason, Refusal, Role,
    sessions::{KEPT_US, over},
    settings::Safeguards,
};
use xuezhu_store::Tx;

pub use self::{
    log_in::LogIns,
    schools::{NewSchool, SchoolRow, create as create_school, majors, of_codes as schools, open_for_entry, school, school_for},
    store::AccountRow,
};

/// How long a password is good that was not chosen by whose it is, in microseconds: a fortnight.
pub const ONE_TIME_US: i64 = 14 * 24 * 3600 * 1_000_000;
/// Passwords of an account, the present one among them, that are not chosen again.
const FORMER: i64 = 5;

/// An account to be opened.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Name to log in with.
    pub account: String,
    /// Name of the person.
    pub display_name: String,
    /// What it may do.
    pub role: Role,
    /// School or region code; empty for an administrator of all.
    pub organisation: String,
    /// Hash of the one-time password.
    pub password_hash: String,
    /// Who opens it, where another one has to confirm that; else empty.
    pub unconfirmed_of: String,
}

/// Name of somebody who acts in one of these roles at an organisation today, themselves or as its principal's deputy; none where an account
/// doesn't.
pub async fn seated(ctx: &Context, tx: &mut Tx, account: &str, (roles, organisation): (&[Role], &str)) -> Result<Option<String>, Error> {
    let Some(row) = store::account(tx, account).await?.filter(|row| !row.disabled && row.organisation == organisation) else {
        return Ok(None);
    };
    let sits = roles.iter().any(|role| row.role == role.as_str()) || (roles.contains(&Role::Principal) && deputies::stands_in(ctx, tx, account).await?);
    Ok(sits.then_some(row.display_name))
}

/// Names of people by their accounts; of one that is gone nothing.
pub async fn display_names(tx: &mut Tx, accounts: &[&str]) -> Result<HashMap<String, String>, Error> {
    Ok(store::display_names(tx, accounts).await?.into_iter().collect())
}

/// Opens an account with a one-time password.
pub async fn create_account(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, new: &NewAccount) -> Result<(), Error> {
    keeps(ctx, tx, new.role, &new.organisation).await?;
    if store::account(tx, &new.account).await?.is_some() {
        return Err(Refusal::new(Reason::AlreadyExists, format!("账号{}已存在", new.account)).into());
    }
    let new = NewAccount { unconfirmed_of: confirmation::by(ctx, safeguards, new.role, false), ..new.clone() };
    store::insert_account(ctx, tx, &new, ctx.now_us(), ctx.now_us() + ONE_TIME_US).await?;
    Ok(())
}

/// Whether the actor keeps the accounts of an organisation: an administrator of a region those below it, one of the
/// whole deployment all.
async fn keeps(ctx: &Context, tx: &mut Tx, role: Role, organisation: &str) -> Result<(), Error> {
    let school = if role.is_of_school() { schools::found(tx, organisation).await? } else { None };
    may_keep(ctx, role, organisation, school.as_ref())
}

/// The same where the school, of somebody of one, was looked up.
fn may_keep(ctx: &Context, role: Role, organisation: &str, school: Option<&SchoolRow>) -> Result<(), Error> {
    if !role.is_of_school() {
        return ctx.may(Permission::ManageDirectory, &Place::Region(organisation));
    }
    let Some(school) = school else {
        ctx.may(Permission::ManageDirectory, &Place::Region(&ctx.actor.organisation))?;
        return Err(Refusal::field("organisation", "没有这所学校，请先登记学校").into());
    };
    ctx.may(Permission::ManageDirectory, &school.place())
}

/// Gives an account a new one-time password, unlocks it, and ends its sessions.
pub async fn reset_password(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, account: &str, password_hash: &str) -> Result<(), Error> {
    let row = account_for(ctx, tx, account).await?;
    if row.account == ctx.actor.account {
        // Whose answer is lost would be locked out, and of the last administrator nobody could let them in again.
        return Err(Refusal::wrong_state("不能重置本人的密码：请用“修改密码”，或由其他管理员重置").into());
    }
    store::set_one_time(ctx, tx, &row.account, password_hash, row.next_us(ctx.now_us()), ctx.now_us() + ONE_TIME_US).await?;
    let unconfirmed_of = confirmation::by_of(ctx, tx, safeguards, &row).await?;
    confirmation::leave_to_others(ctx, tx, row, unconfirmed_of).await?;
    Ok(())
}

/// Closes an account, which ends its sessions, or opens it again.
pub async fn set_disabled(ctx: &Context, tx: &mut Tx, account: &str, disabled: bool) -> Result<AccountRow, Error> {
    let row = account_for(ctx, tx, account).await?;
    if row.account == ctx.actor.account {
        return Err(Refusal::wrong_state("不能停用或启用本人的账号，请由其他管理员办理").into());
    }
    if row.disabled != disabled {
        store::set_disabled(ctx, tx, account, disabled, row.next_us(ctx.now_us())).await?;
    }
    if store::administrators(tx).await?.is_empty() {
        return Err(Refusal::new(Reason::LastAdministrator, "停用后将没有能登录的管理员：请先另开一个管理员账号，登录过一次后再停用").into());
    }
    Ok(AccountRow { disabled, ..row })
}

/// An account that the actor keeps, locked beside the actor's own: of two who close each other one is first.
async fn account_for(ctx: &Context, tx: &mut Tx, account: &str) -> Result<AccountRow, Error> {
    let mut names = [account, ctx.actor.account.as_str()];
    names.sort_unstable();
    for name in names {
        store::lock_account(tx, name).await?;
    }
    let own = store::account(tx, &ctx.actor.account).await?.ok_or_else(over)?;
    goes_on(tx, &own, ctx.actor.session_us).await?;
    let Some(row) = store::account(tx, account).await? else {
        // Who keeps no accounts learns of none.
        ctx.may(Permission::ManageDirectory, &Place::Region(&ctx.actor.organisation))?;
        return Err(Refusal::not_found("该账号").into());
    };
    let of = row.actor(0)?;
    keeps(ctx, tx, of.role, &of.organisation).await?;
    Ok(row)
}

/// Refuses whom the account, locked here, lets do nothing more in a session.
async fn goes_on(tx: &mut Tx, row: &AccountRow, session_us: i64) -> Result<(), Error> {
    let ended = row.disabled || row.sessions_from_us > session_us || store::is_ended(tx, &row.account, session_us).await?;
    if ended { Err(over()) } else { Ok(()) }
}

/// Ends the caller's session; the account's others go on.
pub async fn end_session(ctx: &Context, tx: &mut Tx) -> Result<(), Error> {
    if ctx.actor.role == Role::Service {
        return Err(Refusal::new(Reason::Forbidden, "服务之间的凭证不是登录，无需退出").into());
    }
    store::end_session(tx, &ctx.actor.account, ctx.actor.session_us).await?;
    Ok(())
}

/// Forgets sessions whose tokens have expired since they were ended.
pub async fn forget_ended_sessions(tx: &mut Tx, now_us: i64) -> Result<(), Error> {
    Ok(store::forget_ended(tx, now_us - KEPT_US).await?)
}

/// Sets the caller's own password, under the request id that asked for it. Their sessions are over, but for the one that
/// goes on under the new password.
pub async fn change_password(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, password_hash: &str, request_id: &str) -> Result<Actor, Error> {
    store::lock_account(tx, &ctx.actor.account).await?;
    let row = store::account(tx, &ctx.actor.account).await?.ok_or_else(over)?;
    goes_on(tx, &row, ctx.actor.session_us).await?;
    let from_us = row.next_us(ctx.now_us());
    store::keep_former(tx, &row.account, &row.password_hash, from_us, FORMER - 1).await?;
    store::set_password(ctx, tx, &row.account, password_hash, request_id, from_us).await?;
    count(tx, &row, from_us).await?;
    told(ctx, tx, safeguards, &AccountRow { must_change_password: false, ..row }, from_us).await
}

/// Ends every session of the caller's account, and opens one: what lets them in is another now.
async fn change_session(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, row: AccountRow) -> Result<Actor, Error> {
    let from_us = row.next_us(ctx.now_us());
    store::end_sessions(tx, &row.account, from_us).await?;
    count(tx, &row, from_us).await?;
    told(ctx, tx, safeguards, &row, from_us).await
}

/// Counts a session among those that are open, unless it is another system's.
async fn count(tx: &mut Tx, row: &AccountRow, opened_us: i64) -> Result<(), Error> {
    if row.role != Role::MachineReader.as_str() {
        store::count_session(tx, &row.account, opened_us).await?;
    }
    Ok(())
}

/// Whether an account logs in by a second factor: of whom the deployment asks it, and of whoever stands in for them.
fn needs_factor(safeguards: &Safeguards, actor: &Actor) -> bool {
    safeguards.second_factor && (actor.role.needs_factor() || actor.stands_in.is_some())
}

/// Who an account stands for in a session, with what every service is told of them in their token: for whom they stand in, whose class is theirs,
/// and what they have to do first.
async fn told(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, row: &AccountRow, opened_us: i64) -> Result<Actor, Error> {
    let actor = row.actor(opened_us)?;
    let stands_in = deputies::of_account(tx, &actor.account, ctx.today()).await?;
    let classes = match actor.role {
        Role::ClassTeacher => teachers::of_account(tx, &actor, ctx.today()).await?,
        _ => Vec::new(),
    };
    let actor = Actor { stands_in, classes, ..actor };
    Ok(Actor { must_set_factor: row.factor.is_none() && needs_factor(safeguards, &actor), ..actor })
}

/// Binds accounts of before to their checks; returns the last that it looked at.
pub async fn bind_of_before(tx: &mut Tx, rows: &Chain, after: &str, limit: i64) -> Result<Option<String>, Error> {
    Ok(store::bind_of_before(tx, rows, after, limit).await?)
}

/// Accounts whose rows are not as the service wrote them.
pub async fn altered(tx: &mut Tx, rows: &Chain) -> Result<Vec<String>, Error> {
    Ok(store::altered(tx, rows).await?)
}

/// Names of the first administrators: one, and where two persons open accounts a second.
pub const FIRST_ADMINISTRATORS: [&str; 2] = ["admin", "admin2"];

/// An administrator of the whole deployment, whom nobody has to confirm.
fn administrator(account: &str, password_hash: &str) -> NewAccount {
    NewAccount {
        account: account.to_owned(),
        display_name: "系统管理员".into(),
        role: Role::Administrator,
        organisation: String::new(),
        password_hash: password_hash.to_owned(),
        unconfirmed_of: String::new(),
    }
}

/// Opens accounts of the first administrators, as many as there are passwords, where there is no account at all.
pub async fn ensure_first_administrators(ctx: &Context, tx: &mut Tx, password_hashes: &[String]) -> Result<bool, Error> {
    if store::has_accounts(tx).await? {
        return Ok(false);
    }
    for (account, hash) in FIRST_ADMINISTRATORS.iter().zip(password_hashes) {
        store::insert_account(ctx, tx, &administrator(account, hash), ctx.now_us(), ctx.now_us() + ONE_TIME_US).await?;
    }
    Ok(true)
}

/// Gives an administrator of the whole deployment a one-time password without a second factor, and opens the account where there is none: for
/// who stands at the database, with its keys, and can't log in.
pub async fn recover(ctx: &Context, tx: &mut Tx, account: &str, password_hash: &str) -> Result<(), Error> {
    store::lock_account(tx, account).await?;
    match store::account(tx, account).await? {
        None => {
            store::insert_account(ctx, tx, &administrator(account, password_hash), ctx.now_us(), ctx.now_us() + ONE_TIME_US).await?;
        }
        Some(row) if row.role == Role::Administrator.as_str() && row.organisation.is_empty() => {
            store::believe(ctx, tx, account).await?;
            let from_us = row.next_us(ctx.now_us());
            store::set_one_time(ctx, tx, account, password_hash, from_us, ctx.now_us() + ONE_TIME_US).await?;
            store::set_disabled(ctx, tx, account, false, from_us).await?;
            store::set_unconfirmed(ctx, tx, &[account], "").await?;
            factor::take_away(ctx, tx, account).await?;
        }
        Some(_) => return Err(Refusal::wrong_state("只能恢复全部范围的系统管理员账号").into()),
    }
    Ok(())
}

/// Hashes a password (Argon2id); takes tens of milliseconds of a core.
pub fn hash_password(password: &str) -> Result<String, Error> {
    let hashed = Argon2::default().hash_password(password.as_bytes()).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hashed.to_string())
}

/// Compares a password with a hash; as slow for an account that isn't there.
pub fn password_fits(password: &str, hash: Option<&str>) -> bool {
    /// A hash of nothing anybody knows.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$4mBZjTcQwOMOcV1VJHl0C3s5wEKkBF2mHGkk6sFpX8k";
    // Who came by file has none yet.
    let hash = hash.filter(|hash| !hash.is_empty());
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && hash.is_some()
}

pub use store::ACCOUNT;

pub use rules::{check_account_name, check_new_password, one_time_password};
