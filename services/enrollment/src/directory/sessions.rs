//! Which sessions are over: read from the accounts, told to the services that ask.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use xuezhu_proto::enrollment::{ClosedSession, GoodSessions, WatchSessionsResponse};
use xuezhu_service::{
    Clock, Error, Reason, Refusal, Sessions,
    faults::Faults,
    sessions::{KEPT_US, Over},
};

use super::store;
use crate::Parts;

/// How often the accounts are read: another process of this service may have ended sessions.
const READ: Duration = Duration::from_secs(2);
/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// How often a silent stream says that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Takes note of every session that ended while a token of it may still be good.
pub async fn refresh(parts: &Parts) -> Result<(), Error> {
    let since_us = parts.runner.clock().now_us() - KEPT_US;
    let mut tx = parts.runner.db().read().await?;
    let (sessions, ended) = (store::sessions_since(&mut tx, since_us).await?, store::ended_since(&mut tx, since_us).await?);
    tx.rollback().await?;
    let before = sessions.into_iter().map(|(account, from_us)| Over::Before { account, from_us });
    let one = ended.into_iter().map(|(account, opened_us)| Over::One { account, opened_us });
    parts.gate.sessions().note(before.chain(one));
    Ok(())
}

/// The same where something has just been done, which a fault here does not undo: it is read again soon.
pub async fn refresh_now(parts: &Parts) {
    if let Err(error) = refresh(parts).await {
        tracing::debug!(%error, "which sessions are over could not be read; it is read again soon");
    }
}

/// Keeps that up until told to stop.
pub async fn keep(parts: Arc<Parts>, stop: CancellationToken) {
    let (mut faults, mut wait) = (Faults::new("which sessions are over", READ, LAST_WAIT), READ);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = match refresh(&parts).await {
            Ok(()) => {
                faults.over();
                READ
            }
            Err(error) => faults.note(&error),
        };
    }
}

/// Tells a service, until it hangs up.
pub async fn tell(sessions: Sessions, clock: Clock, out: mpsc::Sender<Result<WatchSessionsResponse, Status>>, stop: CancellationToken) {
    let mut sent = HashSet::new();
    loop {
        let changed = sessions.changes();
        let mut news = WatchSessionsResponse { now_us: clock.now_us(), ..WatchSessionsResponse::default() };
        for over in sessions.news(&mut sent) {
            match over {
                Over::Before { account, from_us } => news.sessions.push(GoodSessions { account, good_from_us: from_us }),
                Over::One { account, opened_us } => news.closed.push(ClosedSession { account, opened_us }),
            }
        }
        if out.send(Ok(news)).await.is_err() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {
                let stopping = Error::from(Refusal::new(Reason::Unavailable, "服务正在停止"));
                // Whoever hung up needs no word of it.
                let _ = out.send(Err(stopping.into())).await;
                return;
            }
            () = out.closed() => return,
            () = changed => {}
            () = tokio::time::sleep(SIGN_OF_LIFE) => {}
        }
    }
}
