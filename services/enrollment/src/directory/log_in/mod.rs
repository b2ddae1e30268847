//! Logging in: how often somebody may try, whose password is compared first, and what a right one opens.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | one attempt, from its turn to its end; settling it in the database |
//! | `attempts` | wrong passwords, counted by account and address: pure |
//! | `lanes` | turns to compare a password |

mod attempts;
mod lanes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time};
use xuezhu_service::{Actor, Clock, Context, Error, Keyring, Reason, Refusal, Runner, settings::Safeguards};
use xuezhu_store::{StoreError, Tx};

use self::{
    attempts::{Attempt, Attempts, Verdict, WRONG_PASSWORDS},
    lanes::{Lanes, Turn},
};
use super::{
    count,
    factor::{self, Weighed},
    rules::PasswordUse,
    store,
    store::AccountRow,
    told,
};

/// How long an attempt waits all in all, for others at the same account from the same address and for its turn: whoever passed it on waited a second
/// for room, and whoever asked is told within five that it is taking long.
const PATIENCE: time::Duration = time::Duration::from_secs(3);
/// Addresses of an account that are remembered.
const ADDRESSES: i64 = 20;

/// Who tries to log in, and how that went.
#[derive(Debug, Clone, Default)]
pub struct LogIns {
    attempts: Arc<Mutex<Attempts>>,
    ended: Arc<Notify>,
    lanes: Lanes,
}

/// An attempt whose turn it is.
#[derive(Debug)]
pub struct Trying {
    of: LogIns,
    account: String,
    address: String,
    is_known: bool,
    told: bool,
    turn: Option<Turn>,
}

impl LogIns {
    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of an attempt at an account from an address, from which it logged in before or not; refuses one that has none.
    pub async fn turn(&self, account: &str, address: &str, is_known: bool, clock: &Clock) -> Result<Trying, Error> {
        let attempt = Attempt { account, address, is_known };
        let until = time::Instant::now() + PATIENCE;
        loop {
            let ended = self.ended.notified();
            let verdict = self.attempts().ask(attempt, clock.now_us());
            match verdict {
                Verdict::Compare(lane) => {
                    let mut trying = Trying { of: self.clone(), account: account.to_owned(), address: address.to_owned(), is_known, told: false, turn: None };
                    trying.turn = Some(self.lanes.turn(lane, until).await?);
                    return Ok(trying);
                }
                Verdict::Locked(seconds) => return Err(locked(seconds).into()),
                Verdict::Later(seconds) => return Err(later(seconds).into()),
                Verdict::Wait => {
                    if time::timeout_at(until, ended).await.is_err() {
                        return Err(later(1).into());
                    }
                }
            }
        }
    }

    /// Forgets what was tried for an account: somebody gave it another password.
    pub fn forgive(&self, account: &str) {
        self.attempts().forgive(account);
    }
}

impl Trying {
    /// How it ended: with a wrong password, or not. Returns what to say where that locks the account here.
    pub fn ended(mut self, wrong: bool, clock: &Clock) -> Option<Refusal> {
        self.told = true;
        let attempt = Attempt { account: &self.account, address: &self.address, is_known: self.is_known };
        let is_locked = self.of.attempts().ended(attempt, wrong, clock.now_us());
        is_locked.then(|| locked(attempts::LOCKED_SECONDS))
    }
}

impl Drop for Trying {
    fn drop(&mut self) {
        if !self.told {
            let attempt = Attempt { account: &self.account, address: &self.address, is_known: self.is_known };
            self.of.attempts().given_up(attempt);
        }
        self.turn.take();
        self.of.ended.notify_waiters();
    }
}

/// What somebody gives to be let in.
#[derive(Debug)]
pub struct Tried<'t> {
    /// The account that they name.
    pub account: &'t str,
    /// The account, if it is there.
    pub row: Option<&'t AccountRow>,
    /// Whether it logged in from there before.
    pub is_known: bool,
    /// The password.
    pub password: String,
    /// The code of a second factor; may be empty.
    pub code: String,
}

/// For what a password is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// To log in: one that was not chosen by whose it is is good for it once.
    ToLogIn,
    /// To change it, in a session that goes on: it opens none.
    ToChange,
    /// To change how the account is secured, in a session that goes on.
    ToSecure,
    /// To hear again what was answered to a change: a session.
    ToHearAgain,
}

/// What a log-in found out.
#[derive(Debug)]
pub enum LogIn {
    /// Welcome; and when the account's sessions were opened that this ended.
    Done(Actor, Vec<i64>),
    /// The password is wrong, or there is no such account.
    Wrong,
    /// The password is right, and the code of the second factor wrong.
    WrongCode,
    /// Refused, though the password is right.
    Refused(Refusal),
}

/// Settles a log-in whose password fits the hash `fitted`, with the code that came beside it.
pub async fn settle(
    (runner, keyring, safeguards): (&Runner, &Keyring, &Safeguards),
    ctx: &Context,
    tx: &mut Tx,
    (account, fitted, code): (&str, &str, &str),
    given: Given,
) -> Result<LogIn, Error> {
    store::lock_account(tx, account).await?;
    // Comparing takes a while: the password may be another by now.
    let Some(row) = store::account(tx, account).await?.filter(|row| row.password_hash == fitted) else { return Ok(LogIn::Wrong) };
    if !row.is_as_written(ctx.rows()?) {
        return Ok(LogIn::Refused(store::altered_row(&row.account)));
    }
    if row.disabled {
        return Ok(LogIn::Refused(Refusal::new(Reason::AccountDisabled, "账号已停用；需要继续使用时，请联系管理员启用")));
    }
    if given == Given::ToLogIn && safeguards.two_persons && !row.unconfirmed_of.is_empty() {
        return Ok(LogIn::Refused(unconfirmed()));
    }
    if matches!(given, Given::ToLogIn | Given::ToSecure) {
        match factor::weigh(keyring, tx, &row, code, ctx.now_us()).await? {
            Weighed::Fits => {}
            Weighed::Missing => return Ok(LogIn::Refused(factor::code_required())),
            Weighed::Wrong => return Ok(LogIn::WrongCode),
        }
    }
    if given == Given::ToLogIn {
        let stands = PasswordUse::from_code(row.password_use).ok_or(StoreError::Corrupt("use of a password"))?;
        match stands.after_log_in() {
            None => return Ok(LogIn::Refused(spent())),
            Some(_) if row.password_until_us > 0 && row.password_until_us <= ctx.now_us() => return Ok(LogIn::Refused(expired())),
            Some(left) if left != stands => store::set_password_use(tx, account, left).await?,
            Some(_) => {}
        }
    }
    if matches!(given, Given::ToChange | Given::ToSecure) {
        return Ok(LogIn::Done(row.actor(ctx.actor.session_us)?, Vec::new()));
    }
    let opened_us = row.next_us(ctx.now_us());
    store::open_session(tx, account, opened_us).await?;
    if !ctx.address.is_empty() {
        store::came_from(tx, account, &ctx.address, ctx.now_us(), ADDRESSES).await?;
    }
    let actor = told(ctx, tx, safeguards, &row, opened_us).await?;
    count(tx, &row, opened_us).await?;
    let beyond = match safeguards.sessions_of(actor.role) {
        Some(most) => store::sessions_beyond(tx, account, most.into()).await?,
        None => Vec::new(),
    };
    for oldest_us in &beyond {
        store::end_session(tx, account, *oldest_us).await?;
    }
    if given == Given::ToLogIn {
        runner.note_entry(ctx, tx, "CreateSession", &row.account).await?;
    }
    Ok(LogIn::Done(actor, beyond))
}

/// Said of a wrong password, and of an account that is not there.
pub fn wrong_password() -> Refusal {
    Refusal::new(Reason::WrongPassword, format!("账号或密码错误；连续错误{WRONG_PASSWORDS}次，本机将有15分钟不能登录该账号"))
}

fn unconfirmed() -> Refusal {
    let why = "该账号的开设（或重置）还没有经另一人确认，暂不能登录：请联系另一位管理员，或学校的主管部门，在“待确认账号”中确认";
    Refusal::new(Reason::AccountUnconfirmed, why)
}

fn spent() -> Refusal {
    let why = "这个一次性密码已经登录过一次，不能再用；没有来得及修改的，请联系管理员重置密码";
    Refusal::new(Reason::WrongPassword, why)
}

fn expired() -> Refusal {
    Refusal::new(Reason::WrongPassword, "一次性密码已过期，请联系管理员重置密码")
}

fn locked(seconds: u64) -> Refusal {
    let why = format!("密码连续错误{WRONG_PASSWORDS}次，该账号在本机（本网络）已锁定，{}分钟后再试，或请管理员重置密码", seconds.div_ceil(60));
    Refusal::new(Reason::AccountLocked, why).again_after(seconds)
}

fn later(seconds: u64) -> Refusal {
    Refusal::new(Reason::TooManyRequests, format!("登录尝试过于频繁，请{seconds}秒后再试")).again_after(seconds)
}
