//! REST: transcoded routes, and the uploads and downloads, which stream and so have routes of their own.

pub mod evidence;
mod files;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{DefaultBodyLimit, FromRequestParts, MatchedPath, Query, Request as AxumRequest, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::Value;
use structured_proxy::transcode::{
    self, TranscodeState,
    error::{StatusDetails, status_to_response_with_details},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status, metadata::MetadataValue};
use xuezhu_service::{Error, Reason, Refusal, refusal, runner::REPLAYED, trace::TRACEPARENT};

use crate::{Gateway, openapi, pages::session, takeouts, upstream::Upstreams};

/// Headers that reach the services.
const FORWARDED: [&str; 4] = ["authorization", "idempotency-key", "x-forwarded-for", TRACEPARENT];
/// Bytes of an error that is looked at.
const ERROR_BYTES: usize = 256 * 1024;
/// Bytes of a JSON body at most.
const JSON_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of an upload that are read, and thrown away, after it was refused: most clients hear an answer only then.
const DRAINED_BYTES: usize = 512 * 1024 * 1024;
/// Seconds after which to come again, where nobody knows better.
const AGAIN: HeaderValue = HeaderValue::from_static("5");
/// Pieces of an upload that wait for the service.
const QUEUED_PIECES: usize = 4;

static DETAILS: LazyLock<StatusDetails> = LazyLock::new(|| StatusDetails::new(&xuezhu_proto::POOL));

#[derive(Clone)]
struct Transcoding {
    upstreams: Upstreams,
    forwarded: Arc<[String]>,
}

impl TranscodeState for Transcoding {
    type Upstream = Upstreams;

    fn into_upstream(self) -> Upstreams {
        self.upstreams
    }

    fn forwarded_headers(&self) -> &[String] {
        &self.forwarded
    }

    fn sse_keep_alive_secs(&self) -> u64 {
        15
    }
}

/// Every REST route.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    let state = Transcoding { upstreams: gateway.upstreams.clone(), forwarded: FORWARDED.map(str::to_owned).into() };
    let transcoded = transcode::routes::<Transcoding>(&xuezhu_proto::POOL, &[])
        .with_state(state)
        .layer(middleware::from_fn(known_parameters_only))
        .layer(middleware::from_fn(json_only))
        .layer(DefaultBodyLimit::max(JSON_BYTES))
        .layer(middleware::from_fn(somebody_only));
    let streamed = Router::new()
        .merge(files::routes())
        .merge(evidence::routes())
        .layer(middleware::from_fn(passable_keys_only))
        .layer(middleware::from_fn(own_pages_only))
        .layer(DefaultBodyLimit::disable())
        .with_state(gateway.clone());
    let taken_out = takeouts::routes()
        .layer(middleware::from_fn(passable_keys_only))
        .layer(middleware::from_fn(known_parameters_only))
        .layer(middleware::from_fn(json_only))
        .layer(DefaultBodyLimit::max(JSON_BYTES))
        .layer(middleware::from_fn(somebody_only))
        .with_state(gateway.clone());
    transcoded.merge(streamed).merge(taken_out)
}

/// A key that can't be passed on would promise in vain.
async fn passable_keys_only(request: AxumRequest, next: Next) -> Response {
    if request.headers().get("idempotency-key").is_some_and(|key| key.to_str().is_err()) {
        return error(&Error::from(Refusal::field("Idempotency-Key", "只能用英文字母、数字和半角符号")).into());
    }
    next.run(request).await
}

/// A cookie signs only what our own pages send: a token in a header is sent by nobody unasked.
async fn own_pages_only(request: AxumRequest, next: Next) -> Response {
    let headers = request.headers();
    if request.method() == Method::POST && !headers.contains_key(header::AUTHORIZATION) && !session::is_own_page(headers) {
        return error(&Error::from(Refusal::new(Reason::Forbidden, "请求来自其他网站，已拒绝；程序请用 Authorization: Bearer 凭证")).into());
    }
    next.run(request).await
}

/// The transcoder drops a parameter that it does not know: one that is mistyped would answer with everything.
async fn known_parameters_only(uri: Uri, path: Option<MatchedPath>, request: AxumRequest, next: Next) -> Response {
    let known = path.as_ref().and_then(|path| openapi::query_of(request.method().as_str(), path.as_str()));
    let asked: Vec<(String, String)> = Query::try_from_uri(&uri).map(|Query(asked)| asked).unwrap_or_default();
    if let Some(known) = known
        && let Some((stranger, _)) = asked.iter().find(|(name, _)| !known.contains(name))
    {
        let list = known.iter().map(String::as_str).collect::<Vec<_>>().join("、");
        let why = if list.is_empty() { "该接口没有查询参数".to_owned() } else { format!("没有这个查询参数；可用的有：{list}") };
        return error(&Error::from(Refusal::field(&printable(stranger), why)).into());
    }
    next.run(request).await
}

/// A body that is not said to be JSON would be taken for empty, and the call done without it.
async fn json_only(request: AxumRequest, next: Next) -> Response {
    let told = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if is_json || request.method() == Method::GET || !has_body(&request) {
        return next.run(request).await;
    }
    let why = format!("请求体须为JSON，并带请求头 Content-Type: application/json（收到的是“{}”）", printable(&kind));
    let mut answer = error(&Error::from(Refusal::new(Reason::InvalidArgument, why)).into());
    *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    answer
}

/// Whether a request brings a body, as its head says; over HTTP/2 it may say nothing.
fn has_body(request: &AxumRequest) -> bool {
    let headers = request.headers();
    match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length != "0",
        None => headers.contains_key(header::TRANSFER_ENCODING) || (request.version() == Version::HTTP_2 && !request.body().is_end_stream()),
    }
}

/// The name of a parameter, short enough to be told.
fn printable(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || "._-".contains(*c)).take(32).collect()
}

/// What is said by others than the services (a body that is no JSON, an unknown field or verb, an answer that takes too long,
/// a fault of the gateway) gets a stable reason and a Chinese message like every other error.
pub async fn complete_error(request: AxumRequest, next: Next) -> Response {
    let is_call = request.uri().path().starts_with("/v1/");
    let response = next.run(request).await;
    if !is_call || !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, ERROR_BYTES).await else { return parts.status.into_response() };
    let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if let Some(details) = told["details"].as_array().filter(|details| !details.is_empty()) {
        let again = details.iter().find_map(again_of);
        let mut response = Response::from_parts(parts, Body::from(bytes));
        if let Some(again) = again {
            response.headers_mut().insert(header::RETRY_AFTER, again);
        }
        return response;
    }
    let (reason, message) = match parts.status {
        StatusCode::GATEWAY_TIMEOUT => (Reason::Unavailable, "仍在处理：请稍后用同一个Idempotency-Key重试，以取得结果".to_owned()),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let why = told["message"].as_str().unwrap_or_default().to_owned();
            (Reason::InvalidArgument, format!("请求的格式有误：{why}"))
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (Reason::NotFound, "没有这个接口，请查阅 /openapi.json".to_owned()),
        _ => (Reason::Unavailable, refusal::chinese(Reason::Unavailable).to_owned()),
    };
    let mut answer = error(&Error::from(Refusal::new(reason, message)).into());
    // A service that is out of reach is 503, however that was met: as cancelled (499) by whom the client did not cancel, or as a
    // fault without a word of the service's own. Only a call that goes on says so otherwise.
    *answer.status_mut() = match (reason, parts.status) {
        (Reason::Unavailable, StatusCode::GATEWAY_TIMEOUT) => StatusCode::GATEWAY_TIMEOUT,
        (Reason::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (_, status) => status,
    };
    answer
}

/// After how many seconds to come again, as a detail of an error says it: `{"@type": "…/google.rpc.RetryInfo", "retryDelay": "2s"}`.
fn again_of(detail: &Value) -> Option<HeaderValue> {
    HeaderValue::from_str(detail["retryDelay"].as_str()?.strip_suffix('s')?).ok()
}

/// Whoever is turned away for now is told when to come again, where nothing better was said.
pub async fn say_when_again(request: AxumRequest, next: Next) -> Response {
    let mut response = next.run(request).await;
    if matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(AGAIN);
    }
    response
}

/// Whether a call is for nobody known: logging in, and what a school shows to whoever has the link.
pub fn is_open(path: &str) -> bool {
    path == "/v1/sessions" || path.starts_with("/v1/publicNotices/")
}

/// Whoever says nothing of who they are is told so before what they say otherwise is looked at.
async fn somebody_only(request: AxumRequest, next: Next) -> Response {
    if is_open(request.uri().path()) || request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    error(&Error::from(Refusal::new(Reason::Unauthenticated, "请先登录：请求缺少 Authorization: Bearer 凭证")).into())
}

/// Said where there is no such call.
pub fn no_such_call() -> Response {
    error(&Error::from(Refusal::new(Reason::NotFound, "没有这个接口，请查阅 /openapi.json")).into())
}

/// A query; one that says something else than the route takes is told like every other error.
struct Asked<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        Query::from_request_parts(parts, state).await.map(|Query(asked)| Self(asked)).map_err(|rejection| bad_query(&rejection))
    }
}

/// A query that says something else than the route takes.
fn bad_query(rejection: &QueryRejection) -> Response {
    error(&Error::from(Refusal::new(Reason::InvalidArgument, format!("查询参数有误：{rejection}"))).into())
}

/// How a call ends whose body streams.
struct Ends {
    /// The call was answered: what is left of the body is for nobody.
    answered: CancellationToken,
    /// The body broke off: what has come of it is no whole file.
    broken: CancellationToken,
}

impl Ends {
    /// Waits for the answer, or until the body breaks off: then the call is cut too, before its service could take what has
    /// come for a whole file.
    async fn of<T>(self, call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        let answer = tokio::select! {
            biased;
            () = self.broken.cancelled() => {
                Err(Error::from(Refusal::new(Reason::FileUnreadable, "上传中断：没有收到完整的文件，请检查网络后重新上传")).into())
            }
            answer = call => answer,
        };
        self.answered.cancel();
        answer
    }
}

/// The pieces of a body as they come. Once the call is answered, what is left is read and thrown away, within a bound.
fn pieces(body: Body) -> (impl Stream<Item = Vec<u8>> + Send + 'static, Ends) {
    let (send, receive) = mpsc::channel(QUEUED_PIECES);
    let ends = Ends { answered: CancellationToken::new(), broken: CancellationToken::new() };
    let (answered, broken) = (ends.answered.clone(), ends.broken.clone());
    tokio::spawn(async move {
        let mut stream = body.into_data_stream();
        let mut drained = 0;
        while let Some(piece) = stream.next().await {
            let Ok(piece) = piece else {
                broken.cancel();
                // An end of the pieces would say that they are whole.
                return send.closed().await;
            };
            if answered.is_cancelled() || send.send(piece.to_vec()).await.is_err() {
                drained += piece.len();
                if drained > DRAINED_BYTES {
                    return;
                }
            }
        }
    });
    (tokio_stream_of(receive), ends)
}

fn tokio_stream_of(receive: mpsc::Receiver<Vec<u8>>) -> impl Stream<Item = Vec<u8>> + Send + 'static {
    futures_util::stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|piece| (piece, receive)) })
}

/// A message as an answer; whether it is that of an earlier, equal request is said in its head.
fn told(name: &str, message: &impl prost::Message, replayed: bool) -> Response {
    let mut response = axum::Json(json_of(name, message)).into_response();
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A message as ProtoJSON, by the same descriptors as everything else.
fn json_of(name: &str, message: &impl prost::Message) -> serde_json::Value {
    use prost_reflect::{DynamicMessage, SerializeOptions};
    let descriptor = xuezhu_proto::POOL.get_message_by_name(name).expect("the protos define it; a test reads it");
    let message = DynamicMessage::decode(descriptor, &message.encode_to_vec()[..]).unwrap_or_else(|_| unreachable!("a message of this type was encoded"));
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap_or_default()
}

/// A workbook that is to be saved under a name.
pub(crate) fn workbook(name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, body).into_response()
}

/// A message with the headers that reach the services; a page's cookie stands in for the header.
pub(crate) fn signed<T>(headers: &HeaderMap, message: T) -> Request<T> {
    let mut request = Request::new(message);
    for name in FORWARDED {
        if let Some(value) = headers.get(name).and_then(|value| MetadataValue::try_from(value.as_bytes()).ok()) {
            request.metadata_mut().insert(name, value);
        }
    }
    if !headers.contains_key(header::AUTHORIZATION)
        && let Some(token) = session::token(headers)
        && let Ok(value) = format!("Bearer {token}").parse()
    {
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// Whether a service went away under a call: what it says itself has a reason.
pub fn went_away(status: &Status) -> bool {
    matches!(status.code(), Code::Cancelled | Code::Internal | Code::Unknown | Code::Unavailable) && refusal::reason_of(status).is_none()
}

/// A status as JSON, like the transcoded routes answer it.
pub(crate) fn error(status: &Status) -> Response {
    if went_away(status) {
        return error(&Error::from(Refusal::new(Reason::Unavailable, refusal::chinese(Reason::Unavailable))).into());
    }
    status_to_response_with_details(status, Some(&DETAILS))
}
