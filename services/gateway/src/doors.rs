//! What every request passes before it is anything else: where it came from, over what it came, and what its cookie is called.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use xuezhu_listen::ForAnybody;
use xuezhu_service::{
    callers::{NEAR, Networks},
    telemetry,
};

use crate::{pages::session::COOKIE, seen};

/// Of whom is believed where a request came from, and who is shown metrics.
#[derive(Debug, Clone, Default)]
pub struct Callers {
    /// Proxies before this gateway.
    pub proxies: Networks,
    /// Whoever may read metrics.
    pub metrics: Networks,
}

/// Where a request came from, as far as that can be told.
#[derive(Debug, Clone)]
struct Origin {
    address: String,
    /// Whether somebody who is not believed passed it on: then it came from elsewhere.
    is_passed_on: bool,
}

/// What anybody is shown: who asks for it with whatever cookie is not known by the answer.
const FOR_ANYBODY: [&str; 8] = ["/login", "/assets/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/notices/", "/v1/publicNotices"];

/// Says to the services where a request came from, whatever the client claims: a proxy that is believed may say it.
pub async fn name_origin(State(callers): State<Callers>, ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    let peer = peer.ip().to_canonical().to_string();
    let told = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    let passed_on = ["x-forwarded-for", "forwarded", "via", "x-real-ip"].iter().any(|name| request.headers().contains_key(*name));
    let origin = Origin { address: callers.proxies.origin(&peer, &told), is_passed_on: passed_on && !callers.proxies.hold(&peer) };
    if let Ok(value) = HeaderValue::from_str(&origin.address) {
        request.headers_mut().insert("x-forwarded-for", value);
    }
    request.extensions_mut().insert(origin);
    let begun = std::time::Instant::now();
    let method = seen::method_name(request.method().as_str());
    let is_for_anybody = FOR_ANYBODY.iter().any(|path| request.uri().path().starts_with(path));
    let mut response = next.run(request).await;
    if is_for_anybody {
        response.extensions_mut().insert(ForAnybody);
    }
    metrics::counter!("xuezhu_requests_total", "method" => method, "code" => response.status().as_str().to_owned()).increment(1);
    metrics::histogram!("xuezhu_request_seconds", "method" => method).record(begun.elapsed().as_secs_f64());
    response
}

/// Metrics, for whom the setting names: who else asks is told nothing. Behind a proxy on this machine everybody seems to be here; one that does not say
/// that it passes something on is known by the host that was asked for.
pub async fn metrics(State(callers): State<Callers>, request: Request) -> Response {
    let near: Networks = NEAR.parse().unwrap_or_default();
    let is_of_here = |origin: &Origin| !near.hold(&origin.address) || host_of(&request).is_some_and(|host| host == "localhost" || near.hold(&host));
    match request.extensions().get::<Origin>() {
        Some(origin) if !origin.is_passed_on && callers.metrics.hold(&origin.address) && is_of_here(origin) => telemetry::render().into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The host that a request asks for, without its port.
fn host_of(request: &Request) -> Option<String> {
    let told = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority: Authority = told.map_or_else(|| request.uri().authority().cloned(), |told| told.parse().ok())?;
    Some(authority.host().trim_matches(['[', ']']).to_ascii_lowercase())
}

/// What a browser calls the cookie where it is sent over HTTPS only: by that name no other host, and no page over HTTP, can set one for us.
const HOST_PREFIX: &str = "__Host-";
/// For how long a browser comes over HTTPS alone, in seconds: a year.
const HTTPS_ALONE: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Where cookies are sent over HTTPS only: ours has the name that browsers guard, one of the plain name is nobody's, and browsers are told to come over
/// HTTPS alone.
pub async fn guard_cookie(mut request: Request, next: Next) -> Response {
    let guarded = guarded(request.headers());
    request.headers_mut().remove(header::COOKIE);
    if let Some(cookie) = guarded {
        request.headers_mut().insert(header::COOKIE, cookie);
    }
    let mut response = next.run(request).await;
    let set: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().map(named_for_host).collect();
    response.headers_mut().remove(header::SET_COOKIE);
    for cookie in set {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ALONE);
    response
}

/// The cookies of a request without one of our plain name, and with that which browsers guard under it.
fn guarded(headers: &HeaderMap) -> Option<HeaderValue> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';')).map(str::trim);
    let others = texts.filter(|pair| pair.split('=').next() != Some(COOKIE));
    let kept: Vec<&str> = others.map(|pair| pair.strip_prefix(HOST_PREFIX).filter(|bare| bare.split('=').next() == Some(COOKIE)).unwrap_or(pair)).collect();
    if kept.is_empty() { None } else { HeaderValue::from_str(&kept.join("; ")).ok() }
}

fn named_for_host(cookie: &HeaderValue) -> HeaderValue {
    let ours = cookie.to_str().ok().filter(|text| text.split('=').next() == Some(COOKIE));
    ours.and_then(|text| HeaderValue::from_str(&format!("{HOST_PREFIX}{text}")).ok()).unwrap_or_else(|| cookie.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cookie_that_browsers_guard_is_ours() {
        for (sent, kept) in [
            ("__Host-xuezhu_session=a; theme=b", Some("xuezhu_session=a; theme=b")),
            ("xuezhu_session=tossed; __Host-xuezhu_session=a", Some("xuezhu_session=a")),
            ("xuezhu_session=tossed", None),
            ("theme=b", Some("theme=b")),
            ("", Some("")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(sent).expect("a header"));
            assert_eq!(guarded(&headers).as_ref().map(|value| value.to_str().expect("text")), kept, "{sent}");
        }
        let set = named_for_host(&HeaderValue::from_static("xuezhu_session=a; Path=/; Secure"));
        assert_eq!(set, "__Host-xuezhu_session=a; Path=/; Secure");
        assert_eq!(named_for_host(&HeaderValue::from_static("theme=b")), "theme=b");
    }
}
