//! Logging in and out, and the password.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::enrollment::{ChangePasswordRequest, CreateSessionRequest, EndSessionRequest, session_service_client::SessionServiceClient};
use xuezhu_service::refusal::{Reason, reason_of};

use super::{Desk, render, security, session};
use crate::{Gateway, parts::Address};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/login", get(log_in_page).post(log_in)).route("/logout", post(log_out)).route("/password", get(password_page).post(change_password))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LogInPage {
    error: String,
    account: String,
    freshness: String,
    /// Whether this browser would keep no cookie of ours: they are for HTTPS only, and it came by plain HTTP.
    no_cookie: bool,
    /// Whether a code of a second factor is asked for, too.
    asks_code: bool,
    /// Where to, once logged in.
    next: String,
    /// A form that was filled in before, sealed.
    carried: String,
}

impl LogInPage {
    fn of(gateway: &Gateway, headers: &HeaderMap, going: Going) -> Self {
        Self {
            error: String::new(),
            account: going.account,
            freshness: gateway.freshness(),
            no_cookie: keeps_no_cookie(gateway, headers),
            asks_code: gateway.asks_code || !going.code.is_empty(),
            // Nowhere but here.
            next: Address::own(&going.next).map(|next| next.to_string()).unwrap_or_default(),
            carried: going.carried,
        }
    }
}

/// Who logs in, and what for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Going {
    account: String,
    password: String,
    code: String,
    next: String,
    carried: String,
}

/// The log-in page that leads on to another.
pub fn log_in_for(next: &Address) -> Address {
    Address::of("/login").with("next", next.to_string())
}

/// The log-in page, for a form that was filled in while the session ended.
pub fn log_in_again(gateway: &Gateway, headers: &HeaderMap, next: &Address, carried: String) -> Response {
    render(&LogInPage::of(gateway, headers, Going { next: next.to_string(), carried, ..Going::default() }))
}

async fn log_in_page(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Query(going): Query<Going>) -> Response {
    render(&LogInPage::of(&gateway, &headers, Going { next: going.next, ..Going::default() }))
}

/// Whether a browser that sent these headers throws our cookies away: it would come back to the log-in page again and again.
fn keeps_no_cookie(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A proxy in front that speaks HTTPS says so; a browser says of itself whether it trusts where it is.
    let secure = text("x-forwarded-proto").eq_ignore_ascii_case("https") || text("origin").starts_with("https://") || !text("sec-fetch-site").is_empty();
    gateway.secure_cookies && !secure
}

async fn log_in(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Form(going): Form<Going>) -> Response {
    let request = super::from_where(
        &headers,
        CreateSessionRequest { account: going.account.trim().to_owned(), password: going.password.clone(), code: going.code.clone() },
    );
    match SessionServiceClient::new(gateway.upstreams.enrollment.clone()).create_session(request).await {
        Ok(answer) => {
            let session = answer.into_inner();
            let to = match (session.must_change_password, session.must_set_second_factor) {
                (true, _) => Address::of("/password"),
                (false, true) => Address::of(security::PAGE),
                (false, false) => Address::own(&going.next).unwrap_or(Address::of("/")),
            };
            (AppendHeaders([(header::SET_COOKIE, session::cookie(&session.access_token, gateway.secure_cookies))]), Redirect::to(&to.to_string()))
                .into_response()
        }
        Err(status) => {
            let page = LogInPage::of(&gateway, &headers, going);
            let asks_code = page.asks_code || matches!(reason_of(&status), Some(Reason::SecondFactorRequired | Reason::WrongCode));
            render(&LogInPage { error: status.message().to_owned(), asks_code, ..page })
        }
    }
}

async fn log_out(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let asked = session::token(&headers).and_then(|token| Some((format!("Bearer {token}").parse().ok()?, EndSessionRequest {})));
    if let Some((token, asked)) = asked {
        let mut request = super::from_where(&headers, asked);
        request.metadata_mut().insert("authorization", token);
        // Whose session is over already, or can't be ended now, is logged out of this browser all the same.
        if let Err(status) = SessionServiceClient::new(gateway.upstreams.enrollment.clone()).end_session(request).await {
            tracing::warn!(code = ?status.code(), "a session could not be ended");
        }
    }
    (AppendHeaders([(header::SET_COOKIE, session::cookie("", gateway.secure_cookies))]), Redirect::to("/login")).into_response()
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    desk: Desk,
    error: String,
}

#[derive(Deserialize)]
struct PasswordForm {
    old_password: String,
    new_password: String,
    repeated: String,
}

async fn password_page(desk: Desk) -> Response {
    render(&PasswordPage { desk, error: String::new() })
}

async fn change_password(State(gateway): State<Arc<Gateway>>, desk: Desk, Form(form): Form<PasswordForm>) -> Response {
    if form.new_password != form.repeated {
        return render(&PasswordPage { desk, error: "两次输入的新密码不一致".into() });
    }
    let asked = desk.request(ChangePasswordRequest { old_password: form.old_password, new_password: form.new_password });
    match desk.sessions().change_password(asked).await {
        Ok(answer) => {
            let token = answer.into_inner().access_token;
            (AppendHeaders([(header::SET_COOKIE, session::cookie(&token, gateway.secure_cookies))]), Redirect::to("/")).into_response()
        }
        Err(status) => render(&PasswordPage { desk, error: status.message().to_owned() }),
    }
}
