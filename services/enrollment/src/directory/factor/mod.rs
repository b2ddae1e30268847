//! The second factor of an account: a secret in an authenticator, and recovery codes for when that is lost.
//!
//! It holds once a code of it was confirmed. A code is good once. Whoever asks for another one says the password and a code of the one that
//! stands; an administrator can take it away, and then the account is anybody's who has the password: where two persons open accounts, another
//! one confirms it first.

pub(super) mod api;
mod codes;
mod store;

use uuid::Uuid;
use xuezhu_service::{Context, Error, Ids, Keyring, Reason, Refusal, settings::Safeguards};
use xuezhu_store::Tx;

use self::codes::{RECOVERY_CHARACTERS, RECOVERY_CODES, SECRET_BYTES};
use super::{AccountRow, account_for, confirmation, goes_on, over, store as accounts};

/// What is sealed.
const SECRET: &str = "second factor";
/// What recovery codes are hashed for.
const RECOVERY: &str = "recovery code";

/// How a code was found that came with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighed {
    /// It fits, or the account has no second factor.
    Fits,
    /// None came.
    Missing,
    /// It is wrong, or was used before.
    Wrong,
}

/// A secret that is proposed.
#[derive(Debug, Clone)]
pub struct Proposed {
    secret: [u8; SECRET_BYTES],
}

impl Proposed {
    /// A new one.
    pub fn new(ids: &Ids) -> Self {
        let mut secret = [0; SECRET_BYTES];
        ids.fill(&mut secret);
        Self { secret }
    }
}

/// Recovery codes that are about to be given.
#[derive(Debug, Clone)]
pub struct RecoveryCodes(Vec<String>);

impl RecoveryCodes {
    /// New ones.
    pub fn new(ids: &Ids) -> Self {
        let code = |_| {
            let mut random = [0; RECOVERY_CHARACTERS];
            ids.fill(&mut random);
            codes::recovery_code(random)
        };
        Self((0..RECOVERY_CODES).map(code).collect())
    }

    async fn give(&self, keyring: &Keyring, tx: &mut Tx, account: &str) -> Result<(), Error> {
        let hashes: Vec<[u8; 32]> = self.0.iter().map(|code| recovery_hash(keyring, account, &codes::plain(code))).collect();
        Ok(store::set_recovery_codes(tx, account, &hashes).await?)
    }
}

fn recovery_hash(keyring: &Keyring, account: &str, plain: &str) -> [u8; 32] {
    keyring.hash_for(RECOVERY, &[account.as_bytes(), plain.as_bytes()])
}

/// Where a secret is sealed: with its account.
fn place(keyring: &Keyring, account: &str) -> [Uuid; 1] {
    [keyring.lookup_hash("account", account)]
}

fn opened(keyring: &Keyring, account: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    keyring.open(SECRET, &place(keyring, account), sealed).ok_or_else(|| Error::Internal("a second factor can't be opened by the keys".into()))
}

/// Weighs the code that came with the password of an account, which is locked; a good one is used up.
pub async fn weigh(keyring: &Keyring, tx: &mut Tx, row: &AccountRow, typed: &str, now_us: i64) -> Result<Weighed, Error> {
    let Some(sealed) = &row.factor else { return Ok(Weighed::Fits) };
    let plain = codes::plain(typed);
    if plain.is_empty() {
        return Ok(Weighed::Missing);
    }
    let fits = if codes::is_of_authenticator(&plain) {
        let used = store::step(tx, &row.account).await?;
        match codes::step_of(&opened(keyring, &row.account, sealed)?, &plain, now_us).filter(|step| *step > used) {
            Some(step) => {
                store::use_step(tx, &row.account, step).await?;
                true
            }
            None => false,
        }
    } else {
        store::use_recovery_code(tx, &row.account, &recovery_hash(keyring, &row.account, &plain)).await?
    };
    Ok(if fits { Weighed::Fits } else { Weighed::Wrong })
}

/// The caller's account, locked, in a session that goes on.
async fn own(ctx: &Context, tx: &mut Tx) -> Result<AccountRow, Error> {
    if ctx.actor.must_change_password {
        return Err(Refusal::new(Reason::MustChangePassword, "首次登录请先修改一次性密码").into());
    }
    accounts::lock_account(tx, &ctx.actor.account).await?;
    let row = accounts::account(tx, &ctx.actor.account).await?.ok_or_else(over)?;
    goes_on(tx, &row, ctx.actor.session_us).await?;
    Ok(row)
}

/// Proposes a second factor for the caller, who said the password and what stands beside it.
pub async fn propose(ctx: &Context, tx: &mut Tx, keyring: &Keyring, proposed: &Proposed) -> Result<(), Error> {
    let row = own(ctx, tx).await?;
    let sealed = keyring.seal(SECRET, &place(keyring, &row.account), &proposed.secret);
    Ok(store::propose(tx, &row.account, &sealed).await?)
}

/// The proposed one holds from now on, if the code is its; returns the account as it is then.
pub async fn confirm(ctx: &Context, tx: &mut Tx, keyring: &Keyring, typed: &str, recovery: &RecoveryCodes) -> Result<AccountRow, Error> {
    let row = own(ctx, tx).await?;
    let Some(sealed) = store::proposed(tx, &row.account).await? else {
        return Err(Refusal::wrong_state("还没有生成密钥，或已经确认过：请从“登录安全”页重新开始").into());
    };
    let secret = opened(keyring, &row.account, &sealed)?;
    let step = codes::step_of(&secret, &codes::plain(typed), ctx.now_us()).ok_or_else(wrong_code)?;
    store::set(ctx, tx, &row.account, Some(&sealed), step).await?;
    recovery.give(keyring, tx, &row.account).await?;
    Ok(AccountRow { factor: Some(sealed), ..row })
}

/// Gives the caller other recovery codes.
pub async fn renew(ctx: &Context, tx: &mut Tx, keyring: &Keyring, recovery: &RecoveryCodes) -> Result<(), Error> {
    let row = own(ctx, tx).await?;
    if row.factor.is_none() {
        return Err(Refusal::wrong_state("还没有设置动态码").into());
    }
    recovery.give(keyring, tx, &row.account).await
}

/// How many recovery codes the caller has left, and whether there is a second factor.
pub async fn standing(ctx: &Context, tx: &mut Tx) -> Result<(bool, i64), Error> {
    let row = accounts::account(tx, &ctx.actor.account).await?.ok_or_else(over)?;
    Ok((row.factor.is_some(), store::recovery_codes_left(tx, &row.account).await?))
}

/// Takes the second factor from an account whose owner lost it, which ends its sessions.
pub async fn reset(ctx: &Context, tx: &mut Tx, safeguards: &Safeguards, account: &str) -> Result<AccountRow, Error> {
    let row = account_for(ctx, tx, account).await?;
    if row.account == ctx.actor.account {
        return Err(Refusal::wrong_state("不能解除本人的动态码：换认证器请在“登录安全”页办理，认证器丢失的请由其他管理员解除").into());
    }
    if row.factor.is_none() {
        return Err(Refusal::wrong_state("该账号没有设置动态码").into());
    }
    take_away(ctx, tx, &row.account).await?;
    accounts::end_sessions(tx, &row.account, row.next_us(ctx.now_us())).await?;
    let row = AccountRow { factor: None, ..row };
    let unconfirmed_of = confirmation::by_of(ctx, tx, safeguards, &row).await?;
    confirmation::leave_to_others(ctx, tx, row, unconfirmed_of).await
}

/// Takes the second factor from an account, with its recovery codes.
pub(super) async fn take_away(ctx: &Context, tx: &mut Tx, account: &str) -> Result<(), Error> {
    store::set(ctx, tx, account, None, 0).await?;
    Ok(store::set_recovery_codes(tx, account, &[]).await?)
}

/// Said of a right password without a code.
pub fn code_required() -> Refusal {
    Refusal {
        fields: vec![("code".into(), "请填写".into())], ..Refusal::new(Reason::SecondFactorRequired, "请填写认证器显示的6位动态码（或一个恢复码）")
    }
}

/// Said of a wrong code.
pub fn wrong_code() -> Refusal {
    Refusal::new(Reason::WrongCode, "动态码不对，或已经用过：请等认证器显示下一个再试；手机时间不准的请先校准")
}
