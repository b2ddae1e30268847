//! Sessions that are over before their tokens are: a password was changed or reset, an account closed.
//!
//! A token says when its session was opened, and enrollment keeps for each account from when on sessions are good. Every
//! service keeps that in memory: tokens stay short and are verified without asking anybody. Times, not counts: an
//! enrollment service that was restored from a backup goes on from the present, not from where the backup ended.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    context::{Actor, Role},
    refusal::{Error, Reason, Refusal},
};

/// How long a request waits in a service that has just started and does not know yet which sessions are over.
const PATIENCE: Duration = Duration::from_secs(5);

/// From when on the sessions of accounts are good, microseconds since 1970. Of accounts not known here all are.
#[derive(Debug, Clone)]
pub struct Sessions {
    good_from: Arc<RwLock<HashMap<String, i64>>>,
    told: watch::Sender<Told>,
}

/// What is known, and whether that is all.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    complete: bool,
    changes: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { good_from: Arc::default(), told: watch::Sender::new(Told::default()) }
    }
}

impl Sessions {
    /// Takes note of the times from which on the sessions of accounts are good; those opened before are over.
    pub fn note(&self, accounts: impl IntoIterator<Item = (String, i64)>) {
        let mut good_from = self.good_from.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for (account, from_us) in accounts {
            let known = good_from.entry(account).or_default();
            changed |= *known < from_us;
            *known = from_us.max(*known);
        }
        drop(good_from);
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

    /// Accounts whose time differs from that in `sent`, which then holds it too.
    pub fn news(&self, sent: &mut HashMap<String, i64>) -> Vec<(String, i64)> {
        let good_from = self.good_from.read().unwrap_or_else(PoisonError::into_inner);
        let news: Vec<_> = good_from.iter().filter(|(account, from)| sent.get(*account) != Some(from)).map(|(a, from)| (a.clone(), *from)).collect();
        drop(good_from);
        sent.extend(news.iter().cloned());
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

    /// Refuses an actor whose session is over.
    pub fn check(&self, actor: &Actor) -> Result<(), Error> {
        if actor.role == Role::Service {
            return Ok(());
        }
        let from_us = self.good_from.read().unwrap_or_else(PoisonError::into_inner).get(&actor.account).copied();
        match from_us {
            Some(from_us) if actor.session_us < from_us => Err(over()),
            _ => Ok(()),
        }
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
    Refusal::new(Reason::Unauthenticated, "登录已失效：密码已修改或重置，或账号已停用，请重新登录").into()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn actor(role: Role, session_us: i64) -> Actor {
        Actor { account: "zhang".into(), display_name: String::new(), role, organisation: String::new(), must_change_password: false, session_us }
    }

    #[test]
    fn sessions_that_were_opened_before_are_over_and_times_never_fall() {
        let sessions = Sessions::default();
        assert!(sessions.check(&actor(Role::SchoolClerk, 0)).is_ok());
        sessions.note([("zhang".to_owned(), 2)]);
        sessions.note([("zhang".to_owned(), 1), ("li".to_owned(), 7)]);
        for (opened, good) in [(1, false), (2, true), (3, true)] {
            assert_eq!(sessions.check(&actor(Role::SchoolClerk, opened)).is_ok(), good, "{opened}");
        }
        assert!(sessions.check(&actor(Role::Service, 0)).is_ok(), "a service of that name has no account");
        let mut sent = HashMap::from([("li".to_owned(), 7)]);
        assert_eq!(sessions.news(&mut sent), [("zhang".to_owned(), 2)]);
        assert!(sessions.news(&mut sent).is_empty());
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
