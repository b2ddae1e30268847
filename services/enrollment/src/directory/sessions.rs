//! Which sessions are over: read from the accounts, told to the services that ask.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use xuezhu_proto::enrollment::{GoodSessions, WatchSessionsResponse};
use xuezhu_service::{Error, Reason, Refusal, Sessions, token::SESSION_SECONDS};

use super::store;
use crate::Parts;

/// How often the accounts are read: another process of this service may have ended sessions.
const READ: Duration = Duration::from_secs(2);
/// Clocks of processes that share a database may differ by so much, in seconds.
const CLOCK_SECONDS: i64 = 600;
/// How often a silent stream says that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Takes note of every session that ended while a token of it may still be good.
pub async fn refresh(parts: &Parts) -> Result<(), Error> {
    let since_us = parts.runner.clock().now_us() - (SESSION_SECONDS + CLOCK_SECONDS) * 1_000_000;
    let mut tx = parts.runner.db().read().await?;
    let sessions = store::sessions_since(&mut tx, since_us).await?;
    tx.rollback().await?;
    parts.gate.sessions().note(sessions);
    Ok(())
}

/// The same where something has just been done, which a fault here does not undo: it is read again soon.
pub async fn refresh_now(parts: &Parts) {
    if let Err(error) = refresh(parts).await {
        tracing::warn!(%error, "which sessions are over could not be read; trying again");
    }
}

/// Keeps that up until told to stop.
pub async fn keep(parts: Arc<Parts>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(READ) => {}
        }
        refresh_now(&parts).await;
    }
}

/// Tells a service, until it hangs up.
pub async fn tell(sessions: Sessions, out: mpsc::Sender<Result<WatchSessionsResponse, Status>>, stop: CancellationToken) {
    let mut sent = HashMap::new();
    loop {
        let changed = sessions.changes();
        let news = sessions.news(&mut sent).into_iter().map(|(account, good_from_us)| GoodSessions { account, good_from_us }).collect();
        if out.send(Ok(WatchSessionsResponse { sessions: news })).await.is_err() {
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
