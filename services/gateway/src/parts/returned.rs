//! A form that was not taken comes back to the page on which it stood, as it was filled in, with what is wrong. One whose session had ended
//! comes back after logging in, unsent: sealed meanwhile, for whoever filled it in alone, and never in an address.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use prost::bytes::Bytes;
use serde::{Deserialize, Serialize};
use tonic::Status;
use tonic_types::StatusExt;
use tower::ServiceExt;
use uuid::Uuid;
use xuezhu_service::trace::{TRACEPARENT, Trace};

use super::{Address, form::Found, words};
use crate::{
    Gateway,
    pages::{PageError, home, session},
};

/// Which form of its page it is.
pub const FORM: &str = "form";
/// The page on which it stands.
pub const PAGE: &str = "page_of_form";
/// Whose it is.
pub const WHO: &str = "account_of_form";
/// What goes through the log-in page, sealed.
pub const CARRIED: &str = "carried";
/// Bytes of a form that are kept while it is sent.
const FORM_BYTES: usize = 1024 * 1024;
/// Bytes that go through the log-in page.
const CARRIED_BYTES: usize = 64 * 1024;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// As the service calls it.
    pub field: String,
    /// What is wrong.
    pub why: String,
}

/// A form that comes back.
#[derive(Debug, Default)]
pub struct Returned {
    /// Which.
    pub form: String,
    /// The request id under which it was sent: sent again, it counts once, whatever became of it.
    pub request_id: Option<String>,
    /// As it was filled in.
    pub values: Vec<(String, String)>,
    /// What is wrong with its fields.
    pub faults: Vec<Fault>,
    /// Why it was not taken.
    pub message: String,
    /// Whether nobody tried yet.
    pub is_unsent: bool,
    found: Found,
}

impl Returned {
    /// What was filled in by a name.
    pub fn values_of(&self, name: &str) -> Vec<String> {
        self.values.iter().filter(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.clone()).collect()
    }

    /// Its form stands on the page.
    pub fn found(&self) {
        self.found.set();
    }

    /// What is told above the page, where its form does not stand there any more.
    pub fn untold(&self) -> Option<&str> {
        (!self.found.get()).then_some(self.message.as_str())
    }
}

/// Why a page did not answer as asked: kept with its answer.
#[derive(Debug, Clone)]
pub enum Unanswered {
    /// A service refused.
    Refused(Status),
    /// Nobody was logged in.
    LogIn,
}

/// What was filled in, as it was sent.
struct Filled {
    form: String,
    page: Address,
    who: String,
    request_id: Option<String>,
    values: Vec<(String, String)>,
}

impl Filled {
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut values: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
        let mut take = |name: &str| values.iter().position(|(known, _)| known == name).map(|at| values.swap_remove(at).1);
        let (form, page, who) = (take(FORM)?, take(PAGE)?, take(WHO)?);
        let request_id = take("request_id");
        values.retain(|(name, _)| !name.contains("password"));
        Some(Self { form, page: Address::own(&page)?, who, request_id, values })
    }
}

/// A form on its way through the log-in page.
#[derive(Serialize, Deserialize)]
struct Carried {
    form: String,
    page: String,
    who: String,
    request_id: Option<String>,
    values: Vec<(String, String)>,
}

const PURPOSE: &str = "form";

impl Gateway {
    fn sealed(&self, filled: Filled) -> Option<String> {
        let Filled { form, page, who, request_id, values } = filled;
        let plain = serde_json::to_vec(&Carried { form, page: page.to_string(), who, request_id, values }).ok()?;
        (plain.len() <= CARRIED_BYTES).then(|| URL_SAFE_NO_PAD.encode(self.seal.seal(PURPOSE, &[Uuid::nil()], &plain)))
    }

    /// What was carried, for this account alone.
    fn opened(&self, sealed: &str, account: &str) -> Option<Carried> {
        let plain = self.seal.open(PURPOSE, &[Uuid::nil()], &URL_SAFE_NO_PAD.decode(sealed).ok()?)?;
        serde_json::from_slice(&plain).ok().filter(|carried: &Carried| carried.who == account)
    }
}

/// The pages, to be asked again.
#[derive(Clone)]
pub struct Pages {
    /// What they stand on.
    pub gateway: Arc<Gateway>,
    /// Themselves.
    pub router: Router,
}

/// Brings back what was not taken.
pub async fn bring_back(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let is_form = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if request.method() != Method::POST || !is_form {
        let asked = (request.method() == Method::GET).then(|| request.uri().path_and_query().and_then(|whole| Address::own(whole.as_str()))).flatten();
        let response = next.run(request).await;
        return match (response.extensions().get::<Unanswered>(), asked) {
            // Whoever followed a link comes there once logged in.
            (Some(Unanswered::LogIn), Some(asked)) if asked.path() != "/" => Redirect::to(&home::log_in_for(&asked).to_string()).into_response(),
            _ => response,
        };
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM_BYTES).await else {
        return PageError::Refused(Status::invalid_argument("表单内容过多，或没有传完：请减少勾选后重试")).into_response();
    };
    if let Some(response) = pages.of_another(&parts, &bytes).await {
        return response;
    }
    let response = next.run(Request::from_parts(parts.clone(), Body::from(bytes.clone()))).await;
    if let Some(unanswered) = response.extensions().get::<Unanswered>().cloned() {
        return pages.unanswered(&parts, &bytes, unanswered).await.unwrap_or(response);
    }
    match response.headers().get(header::SET_COOKIE).cloned() {
        Some(cookie) if parts.uri.path() == "/login" => pages.logged_in(&parts, &bytes, cookie).await.unwrap_or(response),
        _ => response,
    }
}

impl Pages {
    /// What is answered to a form that another account filled in, in a page that stayed open: nothing is done in the name of who is logged in now.
    async fn of_another(&self, parts: &Parts, bytes: &Bytes) -> Option<Response> {
        let filled = Filled::of(bytes)?;
        let user = session::User::of(&session::token(&parts.headers)?, self.gateway.clock.today())?;
        if user.sub == filled.who {
            return None;
        }
        let message = format!("这份表单是账号{}填写的，现在登录的是{}：没有提交。请在本页重新办理。", filled.who, user.sub);
        let returned = Returned { message: message.clone(), ..Returned::default() };
        let shown = self.show(&filled.page, &parts.headers, parts.extensions.get().copied(), returned, StatusCode::CONFLICT).await;
        Some(shown.unwrap_or_else(|| PageError::Refused(Status::failed_precondition(message)).into_response()))
    }

    async fn unanswered(&self, parts: &Parts, bytes: &Bytes, unanswered: Unanswered) -> Option<Response> {
        let filled = Filled::of(bytes)?;
        match unanswered {
            Unanswered::Refused(status) => {
                let code = PageError::http_code(&status);
                let returned = Returned {
                    form: filled.form,
                    request_id: filled.request_id,
                    values: filled.values,
                    faults: faults(&status),
                    message: words::in_chinese(status.message()),
                    ..Returned::default()
                };
                self.show(&filled.page, &parts.headers, parts.extensions.get().copied(), returned, code).await
            }
            Unanswered::LogIn => {
                let page = filled.page.clone();
                Some(home::log_in_again(&self.gateway, &parts.headers, &page, self.gateway.sealed(filled)?))
            }
        }
    }

    /// Shows what was carried through the log-in page, once somebody is logged in.
    async fn logged_in(&self, parts: &Parts, bytes: &Bytes, cookie: HeaderValue) -> Option<Response> {
        let values: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
        let sealed = values.into_iter().find(|(name, _)| name == CARRIED)?.1;
        let token = session::token_of(cookie.to_str().ok()?)?;
        let user = session::User::of(&token, self.gateway.clock.today()).filter(|user| !user.must_first())?;
        let carried = self.gateway.opened(&sealed, &user.sub)?;
        let mut headers = parts.headers.clone();
        headers.insert(header::COOKIE, session::as_sent(&token)?);
        let message = "登录已过期，您刚才填写的内容还没有提交：请核对后再提交。".to_owned();
        let Carried { form, page, request_id, values, .. } = carried;
        let page = Address::own(&page)?;
        let returned = Returned { form, request_id, values, message, is_unsent: true, ..Returned::default() };
        let mut shown = self.show(&page, &headers, parts.extensions.get().copied(), returned, StatusCode::OK).await?;
        shown.headers_mut().insert(header::SET_COOKIE, cookie);
        Some(shown)
    }

    /// A page, with what comes back to it; nothing where it can't be shown.
    async fn show(&self, page: &Address, headers: &HeaderMap, trace: Option<Trace>, returned: Returned, code: StatusCode) -> Option<Response> {
        let mut request = Request::get(page.to_string()).body(Body::empty()).ok()?;
        for name in [header::COOKIE.as_str(), "x-forwarded-for", TRACEPARENT] {
            if let Some(value) = headers.get(name) {
                request.headers_mut().insert(HeaderName::from_static(name), value.clone());
            }
        }
        request.extensions_mut().insert(Arc::new(returned));
        if let Some(trace) = trace {
            request.extensions_mut().insert(trace);
        }
        let mut shown = self.router.clone().oneshot(request).await.ok()?;
        if shown.status() != StatusCode::OK {
            return None;
        }
        *shown.status_mut() = code;
        Some(shown)
    }
}

/// The fields at fault that a refusal names.
fn faults(status: &Status) -> Vec<Fault> {
    let Some(details) = status.get_details_bad_request() else { return Vec::new() };
    let first = |path: &str| path.split(['[', '.']).next().unwrap_or_default().to_owned();
    details.field_violations.into_iter().map(|fault| Fault { field: first(&fault.field), why: fault.description }).collect()
}
