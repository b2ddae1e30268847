//! The audit: read by auditors, witnessed with the enrollment service.

pub mod api;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use xuezhu_proto::enrollment::{ExchangeHeadsRequest, enrollment_audit_service_client::EnrollmentAuditServiceClient};
use xuezhu_service::{Error, faults::Faults};

use crate::Parts;

/// How often the two services tell each other how far their chains went.
const EXCHANGE: Duration = Duration::from_secs(10);
/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(60);

/// Exchanges heads with the enrollment service until told to stop.
pub async fn witness(parts: Arc<Parts>, source: Channel, name: String, stop: CancellationToken) {
    let mut faults = Faults::new("witnessing the audit", EXCHANGE / 3, LAST_WAIT);
    loop {
        let exchanged = tokio::select! {
            () = stop.cancelled() => return,
            exchanged = exchange(&parts, &source, &name) => exchanged,
        };
        let wait = match exchanged {
            Ok(()) => {
                faults.over();
                EXCHANGE
            }
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Exchanges heads once.
pub async fn exchange(parts: &Parts, source: &Channel, name: &str) -> Result<(), Error> {
    let fault = |status: Status| Error::Internal(format!("enrollment answered {:?}: {}", status.code(), status.message()));
    let told = ExchangeHeadsRequest { head: parts.audits.head().await?, kept: parts.audits.kept().await? };
    let request = parts.gate.tokens().signed(name, told)?;
    let answer = EnrollmentAuditServiceClient::new(source.clone()).exchange_heads(request).await;
    let answer = answer.inspect_err(|status| parts.gate.tokens().hear_refusal(status)).map_err(fault)?.into_inner();
    parts.audits.compare(answer.kept).await?;
    parts.audits.keep(answer.head).await
}
