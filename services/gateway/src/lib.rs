//! The gateway: REST by transcoding the annotated protos, an `OpenAPI` document made from them, and pages. It owns no data.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`doors`] | what every request passes first: where it came from, what its cookie is called |
//! | [`upstream`] | one tower service over both upstreams, by the path of the call |
//! | [`rest`] | transcoded routes; the uploads and downloads, which stream |
//! | [`takeouts`] | what is taken out as a workbook, for REST and pages |
//! | [`openapi`] | the document, from the same descriptors that the routes come from |
//! | [`seen`] | the span of a request, and the id that its answer tells |
//! | [`pages`] | what schools and departments work with |
//! | [`parts`] | what pages are made of |
//!
//! To add a call: annotate it in `proto/`. To add a page: a function in `pages/`, a template, a line in its router.

pub mod doors;
pub mod openapi;
pub mod pages;
pub mod parts;
pub mod rest;
pub mod seen;
pub mod takeouts;
pub mod upstream;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, set_header::SetResponseHeaderLayer, timeout::RequestBodyTimeoutLayer};
use xuezhu_listen::pace;
use xuezhu_service::{
    Ids, Keyring,
    health::{Checks, Readiness},
    serve,
    settings::Safeguards,
    uploads::Uploads,
};
use xuezhu_tls::peer::Peer;

use doors::Callers;
use pages::PageError;
use upstream::{Line, Upstreams};

/// What the gateway is made of.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Both services.
    pub upstreams: Upstreams,
    /// Whether cookies are sent over HTTPS only.
    pub secure_cookies: bool,
    /// Source of request ids for forms.
    pub ids: Ids,
    /// Reads the system's time.
    pub clock: xuezhu_service::Clock,
    forms: Uploads,
    /// How fresh the data are, as was told last.
    last_told: pages::fresh::LastTold,
    /// How much waits for whom, as was counted last.
    waits: pages::waits::LastCounted,
    /// What was done and is not told yet.
    to_tell: pages::told::ToTell,
    /// Of whom is believed where a request came from, and who is shown metrics.
    callers: Callers,
    /// After how long a session ends that nobody uses.
    idle: Option<Duration>,
    /// Whether who logs in is asked for a code of a second factor from the beginning.
    asks_code: bool,
    /// Seals what passes through the log-in page; what was sealed before a restart does not open any more.
    seal: Keyring,
}

/// Forms with a file that are held at once: each may take as much as an upload, and its copy.
const FORMS_AT_ONCE: usize = 4;
/// Those of one account.
const FORMS_OF_ONE: usize = 1;
/// How long a form with a file waits for its turn.
const FORM_WAITS: Duration = Duration::from_secs(5);
/// How long the next piece of a body may take.
const PIECE: Duration = Duration::from_secs(30);

impl Gateway {
    /// A gateway in front of two services.
    pub fn new(enrollment: Peer, aid: Peer, secure_cookies: bool, ids: Ids, clock: xuezhu_service::Clock) -> Self {
        Self {
            upstreams: Upstreams { enrollment: Line::to(enrollment), aid: Line::to(aid) },
            secure_cookies,
            ids,
            clock,
            forms: Uploads::of(FORMS_AT_ONCE, FORMS_OF_ONE, FORM_WAITS),
            last_told: pages::fresh::LastTold::default(),
            waits: pages::waits::LastCounted::default(),
            to_tell: pages::told::ToTell::default(),
            callers: Callers::default(),
            idle: None,
            asks_code: false,
            seal: Keyring::generate().0,
        }
    }

    /// The same, for these callers.
    #[must_use]
    pub fn for_callers(self, callers: Callers) -> Self {
        Self { callers, ..self }
    }

    /// The same with what the services are told of who may come in: pages say after how long a session ends, and ask for codes.
    #[must_use]
    pub fn with_safeguards(self, safeguards: Safeguards) -> Self {
        Self { idle: safeguards.idle, asks_code: safeguards.second_factor, ..self }
    }

    /// Whether both services say that they are ready.
    pub fn readiness(&self, stop: &CancellationToken) -> Readiness {
        let services = [("enrollment", self.upstreams.enrollment.clone()), ("aid", self.upstreams.aid.clone())];
        let mut checks = Checks::default();
        for (name, channel) in services {
            checks = checks.and(name, move || {
                let mut client = HealthClient::new(channel.clone());
                Box::pin(async move {
                    let answer = client.check(HealthCheckRequest { service: String::new() }).await.map_err(|status| status.message().to_owned())?;
                    if answer.into_inner().status() == ServingStatus::Serving { Ok(()) } else { Err("says that it is not ready".to_owned()) }
                })
            });
        }
        checks.watch("gateway", stop.clone())
    }

    /// Everything it answers, until told to stop.
    pub fn router(self, stop: &CancellationToken) -> Router {
        let readiness = self.readiness(stop);
        let gateway = Arc::new(self);
        let (ids, callers, secure) = (gateway.ids.clone(), gateway.callers.clone(), gateway.secure_cookies);
        let router = rest::router(&gateway)
            .merge(pages::router(gateway.clone()))
            .route("/openapi.json", get(openapi::document))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(move || async move { serve::ready_or_not(&readiness.faults()) }))
            .route("/metrics", get(doors::metrics).with_state(callers.clone()))
            .fallback(nothing_here)
            .layer(CatchPanicLayer::new())
            .layer(middleware::from_fn(rest::complete_error))
            .layer(middleware::from_fn_with_state(gateway, pages::with_freshness))
            .layer(middleware::from_fn(rest::say_when_again))
            .layer(middleware::from_fn(kept_by_nobody))
            .layer(middleware::from_fn_with_state(callers, doors::name_origin))
            .layer(middleware::from_fn_with_state(ids, seen::within_trace))
            .layer(middleware::from_fn(pace::keep_pace))
            .layer(RequestBodyTimeoutLayer::new(PIECE))
            .layer(SetResponseHeaderLayer::if_not_present(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
            .layer(SetResponseHeaderLayer::if_not_present(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")))
            .layer(SetResponseHeaderLayer::if_not_present(header::REFERRER_POLICY, HeaderValue::from_static("same-origin")))
            .layer(SetResponseHeaderLayer::if_not_present(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'"),
            ))
            .layer(CompressionLayer::new());
        if secure { router.layer(middleware::from_fn(doors::guard_cookie)) } else { router }
    }
}

/// Said where there is neither a call nor a page.
async fn nothing_here(uri: Uri) -> Response {
    if uri.path().starts_with("/v1/") { rest::no_such_call() } else { PageError::Refused(Status::not_found("没有这个页面")).into_response() }
}

/// What is personal is kept neither by a browser that the next may use nor on the way; only what looks the same to all.
async fn kept_by_nobody(request: Request, next: Next) -> Response {
    let for_all = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    if !for_all {
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
