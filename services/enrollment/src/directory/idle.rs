//! Sessions that nobody uses any more.
//!
//! Each process of a service notes which sessions it was asked under, and says so again and again: enrollment's in the table, aid's to
//! enrollment. How long none was said of a session, each process of enrollment measures for itself, by a clock that does not step; after a
//! start it measures anew.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use xuezhu_service::{Error, faults::Faults, sessions::Used};

use super::{sessions, store};
use crate::Parts;

/// How often is looked, at most.
const LOOK: Duration = Duration::from_secs(30);
/// Of the time after which a session is idle, how often is looked.
const LOOKS: u32 = 4;
/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(60);

/// Since when nothing was said of a session.
#[derive(Debug, Clone, Copy)]
struct Silence {
    since: Instant,
    uses: i64,
}

/// Ends sessions that stand idle, until told to stop.
pub async fn keep(parts: Arc<Parts>, stop: CancellationToken) {
    let Some(idle) = parts.safeguards.idle else { return };
    let every = LOOK.min(idle / LOOKS);
    let mut faults = Faults::new("sessions that nobody uses", every, LAST_WAIT);
    let mut silent = HashMap::new();
    loop {
        let wait = match look(&parts, idle, &mut silent).await {
            Ok(()) => {
                faults.over();
                every
            }
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn look(parts: &Parts, idle: Duration, silent: &mut HashMap<(String, i64), Silence>) -> Result<(), Error> {
    let used = parts.gate.sessions().take_used();
    if let Err(error) = note(parts, &used).await {
        // They were used all the same: it is noted at the next look.
        parts.gate.sessions().use_again(used);
        return Err(error);
    }
    let mut tx = parts.runner.db().read().await?;
    let open = store::open_sessions(&mut tx).await;
    tx.rollback().await?;
    let open = open?;
    let known: HashSet<(&str, i64)> = open.iter().map(|(account, opened_us, _)| (account.as_str(), *opened_us)).collect();
    silent.retain(|(account, opened_us), _| known.contains(&(account.as_str(), *opened_us)));
    let now = Instant::now();
    let mut over = Vec::new();
    for (account, opened_us, uses) in open {
        let silence = silent.entry((account.clone(), opened_us)).or_insert(Silence { since: now, uses });
        if silence.uses != uses {
            *silence = Silence { since: now, uses };
        }
        if now.duration_since(silence.since) >= idle {
            over.push(Used { account, opened_us });
        }
    }
    if !over.is_empty() {
        end(parts, &over).await?;
        sessions::refresh_now(parts).await;
    }
    Ok(())
}

async fn note(parts: &Parts, used: &[Used]) -> Result<(), Error> {
    if used.is_empty() {
        return Ok(());
    }
    let used = used.to_vec();
    parts.runner.db().write(&used, |tx, used| Box::pin(async move { Ok(store::use_sessions(tx, used).await?) })).await
}

/// Ends sessions, each on record; one that another process ended meanwhile is on record there.
async fn end(parts: &Parts, over: &[Used]) -> Result<(), Error> {
    let with = (parts.runner.clone(), over.to_vec());
    parts
        .runner
        .db()
        .write(&with, |tx, (runner, over)| {
            Box::pin(async move {
                let ctx = runner.system_context();
                for used in over {
                    if store::end_session(tx, &used.account, used.opened_us).await? {
                        runner.note_entry(&ctx, tx, "EndIdleSession", &used.account).await?;
                    }
                }
                Ok::<_, Error>(())
            })
        })
        .await
}
