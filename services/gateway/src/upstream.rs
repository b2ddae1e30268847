//! How both services are reached: one tower service over both, by the path of the call.
//!
//! Calls share a connection to a service, as far as there is room; who finds none in time is told so at once, not after a call has run
//! out of time. Strangers have a room of their own: however many wait to log in, whoever is logged in is answered. What streams (files in and out) has a connection of its own: a slow end of one would hold up all that share it.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::{
    body::Body,
    transport::{Channel, Error},
};
use tower::Service;
use tracing::Instrument;
use xuezhu_service::{Reason, Refusal, refusal};
use xuezhu_tls::peer::Peer;

/// Calls that a service answers at once for each processor, and at least.
const CALLS_A_PROCESSOR: usize = 12;
const CALLS_AT_LEAST: usize = 32;
/// Calls of strangers at once: as many as one connection carries, for it is theirs alone. Whose password is compared first the service says, which it
/// can only of those that reach it; who must wait there takes up no processor.
const STRANGERS: usize = 240;
/// How long a call waits for room.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one of a stranger does, who then waits for a turn to have a password compared.
const PATIENCE_OF_STRANGERS: Duration = Duration::from_secs(1);
/// After how many seconds whoever found no room should come again.
const AGAIN_SECONDS: u64 = 2;

/// How paths of our own calls begin: others ask whether a service is there.
const OURS: &str = "/xuezhu.";
/// The call of whoever is not known yet, whatever credentials come with it.
const LOG_IN: &str = "/xuezhu.enrollment.v1.SessionService/CreateSession";

/// Paths of calls that stream.
static STREAMING: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let streams = xuezhu_proto::POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    streams
        .filter(|method| method.is_client_streaming() || method.is_server_streaming())
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
});

/// Both services.
#[derive(Debug, Clone)]
pub struct Upstreams {
    /// 学籍.
    pub enrollment: Line,
    /// 资助.
    pub aid: Line,
}

/// The way to one service.
#[derive(Debug, Clone)]
pub struct Line {
    shared: Channel,
    of_strangers: Channel,
    peer: Peer,
    room: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

impl Line {
    /// The way to the service at an address; it connects when it is first used.
    pub fn to(peer: Peer) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_room(peer, [(CALLS_A_PROCESSOR * processors).max(CALLS_AT_LEAST), STRANGERS])
    }

    fn with_room(peer: Peer, calls: [usize; 2]) -> Self {
        let [room, strangers] = calls.map(|calls| Arc::new(Semaphore::new(calls)));
        Self { shared: peer.connect_lazy(), of_strangers: peer.connect_lazy(), peer, room, strangers }
    }

    /// In which room a call goes, and how long it waits for it, in none where it only asks whether the service is there; and over which connection.
    fn way_of(&self, request: &Request<Body>) -> (Option<(&Arc<Semaphore>, Duration)>, &Channel) {
        let path = request.uri().path();
        let is_strangers = path == LOG_IN || !request.headers().contains_key(http::header::AUTHORIZATION);
        match (path.starts_with(OURS), is_strangers) {
            (false, _) => (None, &self.shared),
            (true, true) => (Some((&self.strangers, PATIENCE_OF_STRANGERS)), &self.of_strangers),
            (true, false) => (Some((&self.room, PATIENCE)), &self.shared),
        }
    }
}

/// Said where a service does not answer.
fn unavailable() -> tonic::Status {
    xuezhu_service::Error::from(Refusal::new(Reason::Unavailable, refusal::chinese(Reason::Unavailable))).into()
}

/// Said where there is no room for a call.
fn crowded() -> tonic::Status {
    let busy = Refusal::new(Reason::Unavailable, "同时办理的人较多，请稍后重试").again_after(AGAIN_SECONDS);
    xuezhu_service::Error::from(busy).into()
}

impl Service<Request<Body>> for Line {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Which connection must be ready is known only with the request.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let line = self.clone();
        Box::pin(async move {
            if STREAMING.contains(request.uri().path()) {
                return send(line.peer.connect_lazy(), request).await;
            }
            let mut place = None;
            let (room, channel) = line.way_of(&request);
            if let Some((room, patience)) = room {
                let Ok(Ok(found)) = tokio::time::timeout(patience, room.clone().acquire_owned()).await else {
                    metrics::counter!("xuezhu_calls_turned_away_total").increment(1);
                    return Ok(crowded().into_http());
                };
                place = Some(found);
            }
            let answered = send(channel.clone(), request).await;
            drop(place);
            answered
        })
    }
}

async fn send(mut channel: Channel, request: Request<Body>) -> Result<Response<Body>, Error> {
    std::future::poll_fn(|context| channel.poll_ready(context)).await?;
    channel.call(request).await
}

impl Service<Request<Body>> for Upstreams {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let line = if request.uri().path().starts_with("/xuezhu.aid.") { &mut self.aid } else { &mut self.enrollment };
        // A task of its own: whoever waits may give up (the transcoder does after seconds), but what was begun is finished,
        // and a repetition under the same key hears how.
        let called = tokio::spawn(line.call(request).in_current_span());
        Box::pin(async move {
            match called.await {
                Ok(Ok(answer)) => Ok(answer),
                // A service that can't be reached, or went away under the call: the same to whoever asked.
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a service can't be reached");
                    Ok(unavailable().into_http())
                }
                Err(error) => {
                    tracing::error!(%error, "a call to a service ended unasked");
                    Ok(unavailable().into_http())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_is_told_so_in_time() {
        let mut line = Line::with_room(Peer::to("http://127.0.0.1:9", None).expect("an address"), [1, 1]);
        let held = line.strangers.clone().acquire_owned().await.expect("room");
        let began = tokio::time::Instant::now();
        let request = Request::builder().uri("/xuezhu.aid.v1.AwardService/ListAwardLists").body(Body::empty()).expect("a request");
        let answer = line.call(request).await.expect("an answer");
        let status = tonic::Status::from_header_map(answer.headers()).expect("a status");
        assert_eq!(
            (began.elapsed(), refusal::reason_of(&status), refusal::again_of(&status)),
            (PATIENCE_OF_STRANGERS, Some(Reason::Unavailable), Some(AGAIN_SECONDS))
        );
        // Who is logged in has room, and so has who asks whether the service is there: it is not, which is another answer.
        let log_in = |path: &str| Request::builder().uri(path).header("authorization", "Bearer x").body(Body::empty()).expect("a request");
        for path in ["/xuezhu.aid.v1.AwardService/ListAwardLists", "/grpc.health.v1.Health/Check"] {
            assert!(line.call(log_in(path)).await.is_err(), "{path}");
        }
        assert!(line.call(log_in(LOG_IN)).await.is_ok(), "is turned away, whatever it says of itself");
        drop(held);
    }

    #[test]
    fn what_streams_is_known() {
        for (path, streams) in [
            ("/xuezhu.enrollment.v1.EnrollmentService/ImportEnrollments", true),
            ("/xuezhu.aid.v1.AidTakeOutService/TakeOutEntries", true),
            ("/xuezhu.enrollment.v1.SessionService/CreateSession", false),
        ] {
            assert_eq!(STREAMING.contains(path), streams, "{path}");
        }
    }
}
