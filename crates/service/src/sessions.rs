//! Sessions that are over before their tokens are: somebody logged out, a password was changed or reset, an account closed.
//!
//! A token says when its session was opened, and enrollment keeps for each account from when on sessions are good. Every
//! service keeps that in memory: tokens stay short and are verified without asking anybody. Times, not counts: an
//! enrollment service that was restored from a backup goes on from the present, not from where the backup ended.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    context::{Actor, Role},
    refusal::{Error, Reason, Refusal},
    token::SESSION_SECONDS,
};

/// How long a request waits in a service that has just started and does not know yet which sessions are over.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a closed session is remembered: as long as its token, and clocks that differ.
pub const KEPT_US: i64 = (SESSION_SECONDS + 3600) * 1_000_000;

/// Sessions that are over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Over {
    /// All of an account that were opened before.
    Before {
        /// Whose.
        account: String,
        /// From when on they are good, microseconds since 1970.
        from_us: i64,
    },
    /// One of an account.
    One {
        /// Whose.
        account: String,
        /// When it was opened, microseconds since 1970: no two of an account are at one time.
        opened_us: i64,
    },
}

/// Which sessions are over. Of accounts not known here all are good.
#[derive(Debug, Clone)]
pub struct Sessions {
    over: Arc<RwLock<Known>>,
    told: watch::Sender<Told>,
    used: Arc<Mutex<HashSet<Used>>>,
}

/// A session that somebody used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Used {
    /// Whose.
    pub account: String,
    /// When it was opened, microseconds since 1970.
    pub opened_us: i64,
}

#[derive(Debug, Default)]
struct Known {
    good_from: HashMap<String, i64>,
    /// By when they were opened, so that those whose tokens have expired are forgotten.
    closed: BTreeSet<(i64, String)>,
}

impl Known {
    /// Whether that is new.
    fn note(&mut self, over: Over) -> bool {
        match over {
            Over::Before { account, from_us } => {
                let known = self.good_from.entry(account).or_default();
                let later = *known < from_us;
                *known = from_us.max(*known);
                later
            }
            Over::One { account, opened_us } => {
                let new = self.closed.insert((opened_us, account));
                let newest = self.closed.last().map_or(0, |(opened_us, _)| *opened_us);
                self.closed = self.closed.split_off(&(newest - KEPT_US, String::new()));
                new
            }
        }
    }
}

/// What is known, and whether that is all.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    complete: bool,
    changes: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { over: Arc::default(), told: watch::Sender::new(Told::default()), used: Arc::default() }
    }
}

impl Sessions {
    /// Takes note of what is over.
    pub fn note(&self, over: impl IntoIterator<Item = Over>) {
        let mut known = self.over.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for over in over {
            changed |= known.note(over);
        }
        drop(known);
        self.told.send_if_modified(|told| {
            let first = !told.complete;
            told.complete = true;
            told.changes += u64::from(changed);
            first || changed
        });
    }

    /// Whether it is known which sessions are over.
    pub fn is_known(&self) -> bool {
        self.told.borrow().complete
    }

    /// What is over and not in `sent`, which then holds all that is.
    pub fn news(&self, sent: &mut HashSet<Over>) -> Vec<Over> {
        let known = self.over.read().unwrap_or_else(PoisonError::into_inner);
        let before = known.good_from.iter().map(|(account, from_us)| Over::Before { account: account.clone(), from_us: *from_us });
        let closed = known.closed.iter().map(|(opened_us, account)| Over::One { account: account.clone(), opened_us: *opened_us });
        let all: HashSet<Over> = before.chain(closed).collect();
        drop(known);
        let news = all.difference(sent).cloned().collect();
        *sent = all;
        news
    }

    /// Wakes when something is over.
    pub fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut told = self.told.subscribe();
        async move {
            // The sender lives in whoever calls.
            let _ = told.changed().await;
        }
    }

    /// Notes that sessions are used.
    pub fn use_again(&self, used: impl IntoIterator<Item = Used>) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).extend(used);
    }

    /// Notes that a person uses their session. Another system follows for hours, and reads when it has to: its sessions never stand idle.
    pub fn use_by(&self, actor: &Actor) {
        if !matches!(actor.role, Role::Service | Role::MachineReader) {
            self.use_again([Used { account: actor.account.clone(), opened_us: actor.session_us }]);
        }
    }

    /// Sessions that were used since this was asked last.
    pub fn take_used(&self) -> Vec<Used> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    /// Refuses an actor whose session is over.
    pub fn check(&self, actor: &Actor) -> Result<(), Error> {
        if actor.role == Role::Service {
            return Ok(());
        }
        let known = self.over.read().unwrap_or_else(PoisonError::into_inner);
        let before = known.good_from.get(&actor.account).is_some_and(|from_us| actor.session_us < *from_us);
        if before || known.closed.contains(&(actor.session_us, actor.account.clone())) { Err(over()) } else { Ok(()) }
    }

    /// The same, once it is known which sessions are over: a service that has just started waits for that.
    pub async fn check_when_known(&self, actor: &Actor) -> Result<(), Error> {
        let mut told = self.told.subscribe();
        if actor.role != Role::Service && tokio::time::timeout(PATIENCE, told.wait_for(|told| told.complete)).await.is_err() {
            return Err(Refusal::new(Reason::Unavailable, "本服务刚启动，尚未从学籍服务得知哪些登录已失效，请稍后重试").into());
        }
        self.check(actor)
    }
}

/// Said to whom holds a token of a session that is over.
pub fn over() -> Error {
    Refusal::new(Reason::Unauthenticated, "登录已失效：已退出登录，或较长时间没有操作，或在别处重新登录，或密码已修改、重置，或账号已停用，请重新登录").into()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn actor(role: Role, session_us: i64) -> Actor {
        Actor {
            account: "zhang".into(),
            display_name: String::new(),
            role,
            organisation: String::new(),
            must_change_password: false,
            must_set_factor: false,
            session_us,
            stands_in: None,
            classes: Vec::new(),
        }
    }

    #[test]
    fn sessions_that_were_opened_before_are_over_and_times_never_fall() {
        let sessions = Sessions::default();
        assert!(sessions.check(&actor(Role::SchoolClerk, 0)).is_ok());
        let before = |account: &str, from_us| Over::Before { account: account.into(), from_us };
        sessions.note([before("zhang", 2)]);
        sessions.note([before("zhang", 1), before("li", 7)]);
        for (opened, good) in [(1, false), (2, true), (3, true)] {
            assert_eq!(sessions.check(&actor(Role::SchoolClerk, opened)).is_ok(), good, "{opened}");
        }
        assert!(sessions.check(&actor(Role::Service, 0)).is_ok(), "a service of that name has no account");
        let mut sent = HashSet::from([before("li", 7)]);
        assert_eq!(sessions.news(&mut sent), [before("zhang", 2)]);
        assert!(sessions.news(&mut sent).is_empty());
    }

    #[test]
    fn whoever_logs_out_ends_one_session_which_is_forgotten_when_its_token_has_expired() {
        let sessions = Sessions::default();
        let one = |opened_us| Over::One { account: "zhang".into(), opened_us };
        sessions.note([one(5)]);
        for (opened, good) in [(4, true), (5, false), (6, true)] {
            assert_eq!(sessions.check(&actor(Role::SchoolClerk, opened)).is_ok(), good, "{opened}");
        }
        let mut sent = HashSet::new();
        assert_eq!(sessions.news(&mut sent), [one(5)]);
        sessions.note([one(5), one(6 + KEPT_US)]);
        assert_eq!(sessions.news(&mut sent), [one(6 + KEPT_US)]);
        assert_eq!(sent.len(), 1, "the first is forgotten");
    }

    #[tokio::test]
    async fn before_it_is_known_what_is_over_nobody_is_let_in() {
        let sessions = Sessions::default();
        assert!(sessions.check_when_known(&actor(Role::SchoolClerk, 1)).now_or_never().is_none(), "it waits");
        assert!(sessions.check_when_known(&actor(Role::Service, 0)).await.is_ok());
        sessions.note([]);
        assert!(sessions.check_when_known(&actor(Role::SchoolClerk, 1)).await.is_ok());
    }
}
