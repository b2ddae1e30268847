//! Connections: accepted as far as there is room, watched while they last, ended when they do nothing or are too slow. Knows no call.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | the loop that accepts, and how one connection is served |
//! | [`bounds`] | how many, how long; by what files a process may have open |
//! | [`conduct`] | what a connection did so far, when it has lasted too long, who goes first where there is no more room: pure |
//! | `register` | all connections of a listener |
//! | `watched` | bytes in and out, as conduct sees them |
//! | [`pace`] | bodies that come too slowly |
//!
//! A client that sends half a head, or nothing, or does not take its answer, is let go after seconds. Where there is no more room, whoever
//! waits longest without having been let in makes place, be it with half a request; who is logged in goes last, and nobody whose whole request is being
//! answered.

pub mod bounds;
pub mod conduct;
pub mod pace;
mod register;
mod watched;

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use xuezhu_tls::Tls;

pub use bounds::{Bounds, Share};
use register::{Connection, Register};
pub use watched::ForAnybody;
use watched::{Answered, Coming, Watched};

/// How often connections are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long nobody is accepted after the system refused a connection for want of files or memory.
const REFUSED: Duration = Duration::from_millis(50);
/// How long a stop waits for what is under way.
const STOP: Duration = Duration::from_secs(10);
/// Bytes of a head, at most: beyond, the answer is 431.
const HEAD_BYTES: usize = 64 * 1024;
/// Headers of a request, at most: beyond, the answer is 431.
const HEADERS: usize = 100;
/// Calls under way on one connection, at most: whoever has more to ask waits.
const STREAMS: u32 = 256;
/// How often the other end of a connection of many calls is asked whether it is there, and how long it may take to answer.
const SIGN_OF_LIFE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

/// Where connections come in: plain, or by TLS.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    tls: Option<Tls>,
}

impl Door {
    /// At a listener.
    pub fn new(listener: TcpListener, tls: Option<Tls>) -> Self {
        Self { listener, tls }
    }

    /// Where it is.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl From<TcpListener> for Door {
    fn from(listener: TcpListener) -> Self {
        Self::new(listener, None)
    }
}

/// Serves HTTP/1 and HTTP/2 until told to stop, then waits a while for what is under way. `name` is what metrics call it.
pub async fn serve(name: &'static str, door: Door, router: Router, bounds: Bounds, stop: CancellationToken) -> std::io::Result<()> {
    let Door { listener, tls } = door;
    let register = Arc::new(Register::new(name, bounds));
    let (connections, ended) = (TaskTracker::new(), CancellationToken::new());
    let looking = tokio::spawn(look(register.clone(), ended.clone()));
    tracing::debug!(name, connections = bounds.connections, "listens");
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(connection) = register.enter() {
                    connections.spawn(serve_one(stream, tls.clone(), peer, connection, router.clone(), stop.clone()));
                }
            }
            // Of one connection, which is over.
            Err(error) if is_of_one(&error) => {}
            Err(error) => {
                tracing::warn!(%error, name, "no connection can be accepted");
                register.make_room();
                tokio::time::sleep(REFUSED).await;
            }
        }
    }
    drop(listener);
    connections.close();
    // What is still under way then is broken off.
    let waited = tokio::time::timeout(STOP, connections.wait()).await;
    if waited.is_err() {
        register.end_all();
        connections.wait().await;
    }
    ended.cancel();
    looking.await.map_err(std::io::Error::other)
}

/// Whether an error of accepting says something of one connection alone.
fn is_of_one(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// Ends what has lasted too long, until told to stop.
async fn look(register: Arc<Register>, ended: CancellationToken) {
    loop {
        tokio::select! {
            () = ended.cancelled() => return,
            () = tokio::time::sleep(LOOK) => register.end_overdue(),
        }
    }
}

/// Serves one connection until it ends, or is ended: a handshake takes no longer than a head may.
async fn serve_one(stream: TcpStream, tls: Option<Tls>, peer: SocketAddr, connection: Connection, router: Router, stop: CancellationToken) {
    // Answers are small and awaited: held back for more, each would wait 40 ms for the other end's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps small answers back");
    }
    let Some(tls) = tls else { return serve_stream(stream, peer, connection, router, stop).await };
    let ended = connection.ended();
    let shaken = tokio::select! {
        () = ended.cancelled() => return,
        () = stop.cancelled() => return,
        shaken = tls.acceptor().accept(stream) => shaken,
    };
    match shaken {
        Ok(stream) => serve_stream(stream, peer, connection, router, stop).await,
        Err(error) => tracing::debug!(%error, "a connection speaks no TLS that is taken here"),
    }
}

async fn serve_stream(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    connection: Connection,
    router: Router,
    stop: CancellationToken,
) {
    let (ended, conduct) = (connection.ended(), connection.conduct());
    let service = service_fn(move |request: Request<Incoming>| {
        let (call, router) = (conduct.begins(&request), router.clone());
        let mut request = request.map(|body| Body::new(Coming::new(Body::new(body), conduct.clone())));
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let response = router.oneshot(request).await?;
            call.answered(&response);
            Ok::<_, Infallible>(response.map(|body| Answered::new(body, call)))
        }
    });
    let builder = builder();
    let mut served = pin!(builder.serve_connection(TokioIo::new(Watched::new(stream, connection.conduct())), service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            served = served.as_mut() => {
                if let Err(error) = served {
                    tracing::debug!(%error, "a connection ended");
                }
                return;
            }
            () = ended.cancelled() => return,
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // How long a head may take is looked after here: hyper's own would end connections between requests as fast.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(SIGN_OF_LIFE.0)
        .keep_alive_timeout(SIGN_OF_LIFE.1);
    builder
}
