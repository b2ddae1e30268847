//! Sessions that are over before their tokens are: a password was changed or reset, an account closed.
//!
//! Each account counts what ends its sessions, and a token carries the count it was issued under. Enrollment counts, and
//! every service keeps in memory how far: tokens stay short and are verified without asking anybody.

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

/// How far the sessions of accounts have counted. Accounts that are not known here have ended none.
#[derive(Debug, Clone)]
pub struct Sessions {
    present: Arc<RwLock<HashMap<String, i64>>>,
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
        Self { present: Arc::default(), told: watch::Sender::new(Told::default()) }
    }
}

impl Sessions {
    /// Takes note of the present sessions of accounts; those numbered lower are over.
    pub fn note(&self, sessions: impl IntoIterator<Item = (String, i64)>) {
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for (account, session) in sessions {
            let known = present.entry(account).or_default();
            changed |= *known < session;
            *known = session.max(*known);
        }
        drop(present);
        self.told.send_if_modified(|told| {
            let first = !told.complete;
            told.complete = true;
            told.changes += u64::from(changed);
            first || changed
        });
    }

    /// Present sessions that differ from those in `sent`, which then holds them too.
    pub fn news(&self, sent: &mut HashMap<String, i64>) -> Vec<(String, i64)> {
        let present = self.present.read().unwrap_or_else(PoisonError::into_inner);
        let news: Vec<_> = present.iter().filter(|(account, session)| sent.get(*account) != Some(session)).map(|(a, s)| (a.clone(), *s)).collect();
        drop(present);
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
        let present = self.present.read().unwrap_or_else(PoisonError::into_inner).get(&actor.account).copied();
        match present {
            Some(present) if actor.session < present => Err(over()),
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

    fn actor(role: Role, session: i64) -> Actor {
        Actor { account: "zhang".into(), display_name: String::new(), role, organisation: String::new(), must_change_password: false, session }
    }

    #[test]
    fn sessions_of_a_lower_number_are_over_and_numbers_never_fall() {
        let sessions = Sessions::default();
        assert!(sessions.check(&actor(Role::SchoolClerk, 0)).is_ok());
        sessions.note([("zhang".to_owned(), 2)]);
        sessions.note([("zhang".to_owned(), 1), ("li".to_owned(), 7)]);
        for (session, good) in [(1, false), (2, true), (3, true)] {
            assert_eq!(sessions.check(&actor(Role::SchoolClerk, session)).is_ok(), good, "{session}");
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
