//! On its day a school comes under its next department.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use xuezhu_service::{Context, Error, faults::Faults};
use xuezhu_store::Tx;

use super::store::{self, Turned};
use crate::{Parts, sharing};

/// How often the civil day is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often a fault is told.
const MINUTE: Duration = Duration::from_secs(60);

/// Puts schools whose day has come under their next department; returns how many. Of two changes whose days have come the later holds.
pub async fn turn(ctx: &Context, tx: &mut Tx) -> Result<usize, Error> {
    let mut due = store::take_due(tx, ctx.today()).await?;
    due.sort_unstable();
    let last: BTreeMap<String, String> = due.into_iter().map(|(school, _, authority)| (school, authority)).collect();
    if last.is_empty() {
        return Ok(0);
    }
    let turned: Vec<Turned> = last.into_iter().map(|(school, authority)| Turned { school, authority }).collect();
    store::set_authorities(tx, &turned).await?;
    for school in &turned {
        sharing::share_school(ctx, tx, &school.school).await?;
    }
    Ok(turned.len())
}

/// Turns what is due whenever a day begins, and when the service starts; each minute too: what was recorded for a day may be committed after it
/// began.
pub async fn keep(parts: Arc<Parts>, stop: CancellationToken) {
    let mut faults = Faults::new("authorities whose day has come", LOOK, MINUTE);
    let (mut turned_for, mut looks) = (None, 0_u64);
    loop {
        let today = parts.runner.clock().today();
        let mut wait = LOOK;
        looks += 1;
        if turned_for != Some(today) || looks.is_multiple_of(MINUTE.as_secs()) {
            match turn_now(&parts).await {
                Ok(()) => {
                    turned_for = Some(today);
                    faults.over();
                }
                Err(error) => wait = faults.note(&error),
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Turns what is due.
pub async fn turn_now(parts: &Parts) -> Result<(), Error> {
    let ctx = parts.runner.system_context();
    let turned = parts.runner.db().write(&ctx, |tx, ctx| Box::pin(turn(ctx, tx))).await?;
    if turned > 0 {
        parts.runner.committed().notify_waiters();
        tracing::info!(schools = turned, "schools come under their next department");
    }
    Ok(())
}
