//! Which sessions are over, as enrollment says: kept, so that a start without enrollment in reach forgets nothing.

mod store;

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use xuezhu_proto::enrollment::{WatchSessionsRequest, WatchSessionsResponse, session_service_client::SessionServiceClient};
use xuezhu_service::{Error, faults::Faults, sessions::Over};

use crate::Parts;

/// First wait after a fault; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Last wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// A source that says nothing for so long is asked anew.
const SILENCE: Duration = Duration::from_secs(15);

/// Takes note of what was heard before this start.
pub async fn recall(parts: &Parts) -> Result<(), Error> {
    let mut tx = parts.runner.db().read().await?;
    let known = store::all(&mut tx).await?;
    tx.rollback().await?;
    if !known.is_empty() {
        parts.gate.sessions().note(known);
    }
    Ok(())
}

/// Listens until told to stop.
pub async fn listen(parts: Arc<Parts>, source: Channel, name: String, stop: CancellationToken) {
    let mut faults = Faults::new("sessions that are over", FIRST_WAIT, LAST_WAIT);
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = follow(&parts, &source, &name, &mut faults) => heard,
        };
        let wait = match heard {
            Ok(never) => match never {},
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn follow(parts: &Parts, source: &Channel, name: &str, faults: &mut Faults) -> Result<Infallible, Error> {
    let fault = |status: Status| Error::Internal(format!("source answered {:?}: {}", status.code(), status.message()));
    let request = parts.gate.tokens().signed(name, WatchSessionsRequest {})?;
    let asked = SessionServiceClient::new(source.clone()).watch_sessions(request).await;
    let mut answers = asked.inspect_err(|status| parts.gate.tokens().hear_refusal(status)).map_err(fault)?.into_inner();
    loop {
        let answer = tokio::time::timeout(SILENCE, answers.message()).await.map_err(|_| Error::Internal("the source has fallen silent".into()))?;
        let Some(answer) = answer.map_err(fault)? else { return Err(Error::Internal("the source ended the stream".into())) };
        // A source of before says nothing of its clock.
        if answer.now_us > 0 {
            parts.gate.tokens().hear(answer.now_us);
        }
        take(parts, answer).await?;
        faults.over();
    }
}

/// Keeps what was heard, and that something was, then goes by it.
async fn take(parts: &Parts, answer: WatchSessionsResponse) -> Result<(), Error> {
    let before = answer.sessions.into_iter().map(|of| Over::Before { account: of.account, from_us: of.good_from_us });
    let one = answer.closed.into_iter().map(|of| Over::One { account: of.account, opened_us: of.opened_us });
    let mut heard: Vec<Over> = before.chain(one).collect();
    if !parts.gate.sessions().is_known() {
        heard.push(Over::Before { account: String::new(), from_us: 0 });
    }
    if !heard.is_empty() {
        parts.runner.db().write(&heard, |tx, heard| Box::pin(async move { store::keep(tx, heard).await.map_err(Error::from) })).await?;
    }
    parts.gate.sessions().note(heard);
    Ok(())
}
