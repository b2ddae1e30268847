//! Which sessions are over, as enrollment says: kept, so that a start without enrollment in reach forgets nothing.

mod store;

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use xuezhu_proto::enrollment::{ReportSessionsRequest, UsedSession, WatchSessionsRequest, WatchSessionsResponse, session_service_client::SessionServiceClient};
use xuezhu_service::{
    Error,
    faults::Faults,
    sessions::{Over, Used},
};

use crate::Parts;

/// First wait after a fault; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Last wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// How often enrollment is told which sessions were used, at most.
const REPORT: Duration = Duration::from_secs(20);
/// Of the time after which a session is idle, how often it is told.
const REPORTS: u32 = 6;
/// Last wait after faults of telling.
const LAST_REPORT: Duration = Duration::from_secs(60);
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

/// Tells enrollment again and again which sessions were used here, until told to stop.
pub async fn report(parts: Arc<Parts>, source: Channel, name: String, stop: CancellationToken) {
    let every = parts.safeguards.idle.map_or(REPORT, |idle| REPORT.min(idle / REPORTS));
    let mut faults = Faults::new("telling which sessions are used", every, LAST_REPORT);
    loop {
        let used = parts.gate.sessions().take_used();
        let wait = match tell(&parts, &source, &name, &used).await {
            Ok(()) => {
                faults.over();
                every
            }
            Err(error) => {
                parts.gate.sessions().use_again(used);
                faults.note(&error)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn tell(parts: &Parts, source: &Channel, name: &str, used: &[Used]) -> Result<(), Error> {
    if used.is_empty() {
        return Ok(());
    }
    let used = used.iter().map(|used| UsedSession { account: used.account.clone(), opened_us: used.opened_us }).collect();
    let request = parts.gate.tokens().signed(name, ReportSessionsRequest { used })?;
    let told = SessionServiceClient::new(source.clone()).report_sessions(request).await;
    let told = told.inspect_err(|status| parts.gate.tokens().hear_refusal(status));
    told.map(drop).map_err(|status| Error::Internal(format!("source answered {:?}: {}", status.code(), status.message())))
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
