//! How a request is seen from here on: its span, the trace that it is handed on in, and the id that the answer tells.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, field::Empty};
use xuezhu_service::{
    Ids,
    trace::{self, TRACE_ID, TRACEPARENT, Trace},
};

/// What is asked again and again by machines, and what is the same for all: no steps of anybody's request.
const UNSEEN: [&str; 6] = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/assets/style.css", "/assets/idle.css"];

/// A method as it is named: anybody can invent others, and a label for each would fill the memory.
pub fn method_name(method: &str) -> &'static str {
    match method {
        "GET" => "HTTP GET",
        "HEAD" => "HTTP HEAD",
        "POST" => "HTTP POST",
        _ => "HTTP other",
    }
}

/// Opens the request's span, and hands the trace on in place of what came. A path holds what people put there: named is the route.
pub async fn within_trace(State(ids): State<Ids>, path: Option<MatchedPath>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = path.as_ref().map_or("unmatched", MatchedPath::as_str);
    if UNSEEN.contains(&route) {
        return next.run(request).await;
    }
    let method = method_name(request.method().as_str());
    let span = tracing::error_span!(parent: None, "request", trace = Empty, method, route, status = Empty);
    let trace = trace::open(&span, format!("{method} {route}"), Trace::of_headers(request.headers()), &ids);
    request.headers_mut().insert(TRACEPARENT, trace.header());
    request.extensions_mut().insert(trace);
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, elapsed_us) = (response.status(), u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    span.record("status", status.as_u16());
    if status.is_server_error() {
        // What failed is found by the id that its page tells, however little is logged else.
        span.in_scope(|| tracing::warn!(target: trace::CALLS, elapsed_us, "a request failed"));
        trace::failed(&span);
    } else {
        span.in_scope(|| tracing::debug!(target: trace::CALLS, elapsed_us, "request"));
    }
    response.headers_mut().insert(TRACE_ID, trace.id_header());
    response
}
