//! A gRPC server with health, reflection, metrics, and a clean stop; and the gate that every request passes.

use std::{
    collections::HashSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::StatusCode,
    middleware::Next,
    response::Response as HttpResponse,
    routing::get,
};
use prost_reflect::ServiceDescriptor;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{Instrument, Span, field::Empty};
use xuezhu_listen::{Bounds, Door, Share};
use xuezhu_store::Db;

use crate::{
    callers,
    context::{Actor, Context, Ids, Role},
    health::Readiness,
    keyring::Keyring,
    refusal::{Error, Reason, Refusal},
    runner::{REQUEST_ID_CHARACTERS, Runner},
    sessions::Sessions,
    telemetry,
    token::{SESSION_SECONDS, Tokens},
    trace::{self, TRACE_ID, TRACEPARENT, Trace},
    uploads::Uploads,
};

/// Messages that a client of ours takes, in bytes.
pub const MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// Bad tokens that are recorded a minute and process; the rest are only counted, so that nobody fills the disk.
const BAD_TOKENS_RECORDED: u32 = 100;
/// Files at once of whoever may send none: each is hashed for the audit, and nothing of it is kept.
const REFUSED_AT_ONCE: usize = 8;
/// Header that carries the address of the connection's other end; set here, whatever a client sent.
const PEER: &str = "x-peer-address";
/// How often an SQLite database is looked at, whether it is still the file that was opened.
const REPLACED: Duration = Duration::from_millis(300);

/// Verifies who calls and makes the context of the call.
#[derive(Debug, Clone)]
pub struct Gate {
    tokens: Tokens,
    sessions: Sessions,
    runner: Runner,
    uploads: Uploads,
    refused_uploads: Uploads,
    bad_tokens: Arc<AtomicU32>,
    turned_away: Arc<AtomicU32>,
}

impl Gate {
    /// A gate before a service.
    pub fn new(keyring: &Keyring, runner: Runner) -> Self {
        Self {
            tokens: Tokens::new(keyring, runner.clock().clone()),
            sessions: Sessions::default(),
            runner,
            uploads: Uploads::default(),
            refused_uploads: Uploads::of(REFUSED_AT_ONCE, 1, Duration::ZERO),
            bad_tokens: Arc::default(),
            turned_away: Arc::default(),
        }
    }

    /// The tokens it goes by.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Which sessions are over.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Turns of files on their way in.
    pub fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// Turns to have a file looked at that is refused whatever it holds: only which one it is.
    pub fn refused_uploads(&self) -> &Uploads {
        &self.refused_uploads
    }

    /// Who calls, with what: a bad token, and one of a session that is over, is refused and recorded.
    pub async fn enter<T>(&self, request: Request<T>, method: &'static str) -> Result<(Context, T), Status> {
        let ctx = self.context(&request, method).await?;
        Ok((ctx, request.into_inner()))
    }

    /// The context of a call.
    pub async fn context<T>(&self, request: &Request<T>, method: &'static str) -> Result<Context, Status> {
        let ctx = self.verify(request, method).await?;
        match self.sessions.check_when_known(&ctx.actor).await {
            Ok(()) => {
                self.sessions.use_by(&ctx.actor);
                Ok(ctx)
            }
            Err(error) => Err(self.refuse(&ctx, method, error).await),
        }
    }

    /// The context of a call whose token is good, be the session over or not: only for who asks again what ended it.
    pub async fn verify<T>(&self, request: &Request<T>, method: &'static str) -> Result<Context, Status> {
        let mut ctx = self.stranger(request)?;
        let token = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
        let verified = match token {
            Some(token) => self.tokens.verify(token),
            None => Err(Refusal::new(Reason::Unauthenticated, "请先登录：请求缺少 Authorization: Bearer 凭证").into()),
        };
        match verified {
            Ok(actor) => {
                Span::current().record("role", actor.role.as_str()).record("organisation", actor.organisation.as_str());
                ctx.actor = actor;
                Ok(ctx)
            }
            Err(error) if token.is_none() => Err(error.into()),
            Err(error) => Err(self.refuse(&ctx, method, error).await),
        }
    }

    /// Whether an actor who entered may still be answered: a stream outlives calls.
    pub fn lets_stay(&self, actor: &Actor) -> Result<(), Error> {
        let lasts_until_us = actor.session_us + SESSION_SECONDS * 1_000_000;
        if actor.role != Role::Service && self.runner.clock().now_us() >= lasts_until_us {
            return Err(Refusal::new(Reason::Unauthenticated, "登录已过期，请重新登录").into());
        }
        self.sessions.check(actor)
    }

    /// Refuses a token, which is recorded.
    pub async fn refuse(&self, ctx: &Context, method: &'static str, error: Error) -> Status {
        if error.reason() == Reason::Unauthenticated && self.bad_tokens.fetch_add(1, Ordering::Relaxed) < BAD_TOKENS_RECORDED {
            self.runner.record_refusal(ctx, method, "", Reason::Unauthenticated).await;
        }
        error.into()
    }

    /// Refuses an attempt to log in, which is recorded; of a flood as much as of bad tokens.
    pub async fn refuse_log_in(&self, ctx: &Context, method: &'static str, error: Error) -> Status {
        let reason = error.reason();
        let is_turned_away = matches!(reason, Reason::TooManyRequests | Reason::AccountLocked);
        if !is_turned_away || self.turned_away.fetch_add(1, Ordering::Relaxed) < BAD_TOKENS_RECORDED {
            self.runner.record_refusal(ctx, method, "", reason).await;
        }
        metrics::counter!("xuezhu_log_ins_refused_total", "reason" => reason.as_str_name()).increment(1);
        error.into()
    }

    /// Records that somebody began to follow what goes on for long, or was not let: of a flood as much as of bad tokens.
    pub async fn record_entry<T>(&self, ctx: &Context, method: &'static str, resource: &str, begun: Result<T, Error>) -> Result<T, Status> {
        match begun {
            Ok(begun) => {
                self.runner.record_entry(ctx, method, resource).await?;
                Ok(begun)
            }
            Err(error) => {
                if self.turned_away.fetch_add(1, Ordering::Relaxed) < BAD_TOKENS_RECORDED {
                    self.runner.record_refusal(ctx, method, resource, error.reason()).await;
                }
                Err(error.into())
            }
        }
    }

    /// The context of a call by nobody known: logging in.
    pub fn stranger<T>(&self, request: &Request<T>) -> Result<Context, Status> {
        let text = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let nobody = Actor {
            account: "-".into(),
            display_name: String::new(),
            role: Role::MachineReader,
            organisation: "-".into(),
            must_change_password: false,
            must_set_factor: false,
            session_us: 0,
            stands_in: None,
            classes: Vec::new(),
        };
        let mut ctx = self.runner.context(nobody);
        ctx.request_id = text("idempotency-key");
        if ctx.request_id.len() > REQUEST_ID_CHARACTERS {
            return Err(Error::from(Refusal::field("Idempotency-Key", format!("不能超过{REQUEST_ID_CHARACTERS}个字符"))).into());
        }
        ctx.trace = Trace::of_headers(request.metadata().as_ref());
        ctx.address = callers::gateways().origin(&text(PEER), &text("x-forwarded-for"));
        Ok(ctx)
    }

    /// Lets bad tokens be recorded again; called every minute.
    pub fn new_minute(&self) {
        self.bad_tokens.store(0, Ordering::Relaxed);
        self.turned_away.store(0, Ordering::Relaxed);
    }
}

/// Stops everything when another file is where an SQLite database was opened: what is written from then on, nobody would read.
pub async fn stop_when_replaced(db: Db, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REPLACED) => {}
        }
        if db.is_replaced() {
            tracing::error!("the database file was replaced under the running process: it stops; start it again on the file that is there now");
            return stop.cancel();
        }
    }
}

/// Serves gRPC with health of each named service and reflection until it is told to stop, in its share of the process's connections.
/// `ids` makes those of requests that bring none.
pub async fn serve(
    door: Door,
    routes: Routes,
    names: &'static [&'static str],
    readiness: Readiness,
    ids: Ids,
    share: Share,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let (said, health) = tonic_health::server::health_reporter();
    let ended = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = ended.cancelled() => {}
            never = say_health(&said, names, readiness) => match never {},
        }
    });
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(xuezhu_proto::DESCRIPTORS)
        .build_v1()
        .map_err(std::io::Error::other)?;
    let served = routes.add_service(health).add_service(reflection).prepare().into_axum_router().layer(axum::middleware::from_fn_with_state(ids, observe));
    xuezhu_listen::serve("grpc", door, served, Bounds::of(share), stop).await
}

/// Says of each service, and of all together, whether it is ready.
async fn say_health(said: &HealthReporter, names: &'static [&'static str], mut readiness: Readiness) -> Infallible {
    loop {
        let status = if readiness.faults().is_empty() { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in names.iter().chain(&[""]) {
            said.set_service_status(name, status).await;
        }
        readiness.changed().await;
    }
}

/// `/metrics`, `/healthz` (alive) and `/readyz` (can do its work) of a process apart.
pub fn metrics_router(readiness: Option<Readiness>) -> Router {
    Router::new()
        .route("/metrics", get(|| async { telemetry::render() }))
        .route("/healthz", get(|| async { (StatusCode::OK, "ok\n") }))
        .route("/readyz", get(move || async move { ready_or_not(&readiness.map(|readiness| readiness.faults()).unwrap_or_default()) }))
}

/// Whether a process is ready, and what is not so if it is not.
pub fn ready_or_not(faults: &[&str]) -> (StatusCode, String) {
    if faults.is_empty() { (StatusCode::OK, "ready\n".into()) } else { (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", faults.join(", "))) }
}

/// Counts and times a request, in a span of its own within the request's trace, which is handed on in place of what came.
async fn observe(State(ids): State<Ids>, ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: HttpRequest, next: Next) -> HttpResponse {
    if let Ok(peer) = peer.ip().to_string().parse() {
        request.headers_mut().insert(PEER, peer);
    }
    let begun = Instant::now();
    let method = request.uri().path().trim_start_matches('/').to_owned();
    // An unknown path must become neither a label nor a name: anybody could fill the memory with them, and write what they like into the logs.
    let ours = METHODS.contains(&method);
    let (span, trace) = if ours {
        let span = tracing::error_span!(parent: None, "call", trace = Empty, method, role = Empty, organisation = Empty, resource = Empty);
        let trace = trace::open(&span, method.clone(), Trace::of_headers(request.headers()), &ids);
        request.headers_mut().insert(TRACEPARENT, trace.header());
        (span, Some(trace))
    } else {
        (Span::none(), None)
    };
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = begun.elapsed();
    let code = response.headers().get("grpc-status").and_then(|value| value.to_str().ok()).unwrap_or("0").to_owned();
    let label = if ours || (method.starts_with("grpc.") && code != "12") { method } else { "unknown".to_owned() };
    let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if ours {
        span.in_scope(|| tracing::debug!(target: trace::CALLS, code, elapsed_us, "request"));
    } else {
        tracing::debug!(method = label, code, elapsed_us, "request");
    }
    if FAULTS.contains(&code.as_str()) {
        trace::failed(&span);
    }
    if let Some(trace) = trace {
        response.headers_mut().insert(TRACE_ID, trace.id_header());
    }
    metrics::counter!("xuezhu_requests_total", "method" => label.clone(), "code" => code).increment(1);
    metrics::histogram!("xuezhu_request_seconds", "method" => label).record(elapsed.as_secs_f64());
    response
}

/// The methods of all services, as paths name them.
static METHODS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let of = |service: ServiceDescriptor| service.methods().map(|method| format!("{}/{}", service.full_name(), method.name())).collect::<Vec<_>>();
    xuezhu_proto::POOL.services().flat_map(of).collect()
});

/// Codes that say that we failed, not whoever called: unknown, internal, unavailable, data loss.
const FAULTS: [&str; 4] = ["2", "13", "14", "15"];
