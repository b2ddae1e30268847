//! 登录安全: the second factor of whoever looks.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::State,
    http::header,
    response::{AppendHeaders, IntoResponse, Response},
    routing::{get, post},
};
use qrcode::{QrCode, render::svg};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::enrollment::{
    BeginSecondFactorRequest, ConfirmSecondFactorRequest, GetSecondFactorRequest, GetSecondFactorResponse, RenewRecoveryCodesRequest,
};
use xuezhu_service::refusal::{Reason, reason_of};

use super::{Desk, PageError, render, session};
use crate::{
    Gateway,
    parts::{Field, Form, Note},
};

/// Where it is.
pub const PAGE: &str = "/security";

/// Whether a page is one of those that set up a second factor.
pub fn is_of(path: &str) -> bool {
    path == PAGE || path.strip_prefix(PAGE).is_some_and(|rest| rest.starts_with('/'))
}

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route(PAGE, get(page))
        .route("/security/begin", post(begin))
        .route("/security/confirm", post(confirm))
        .route("/security/recoveryCodes", post(renew))
}

/// Side of the picture that an authenticator reads, in units of the page.
const PICTURE: u32 = 220;

#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage {
    desk: Desk,
    standing: GetSecondFactorResponse,
    begin: Form,
    renew: Option<Form>,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct ProposedPage {
    desk: Desk,
    wrong: Option<Note>,
    secret: String,
    /// The picture; none where the secret is none.
    picture: Option<String>,
    confirm: Form,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct CodesPage {
    desk: Desk,
    codes: Vec<String>,
    /// Whether the second factor is new, too.
    is_new: bool,
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    let standing = desk.sessions().get_second_factor(desk.request(GetSecondFactorRequest {})).await?.into_inner();
    let begin = Form::of::<BeginSecondFactorRequest>(&desk, "begin", "/security/begin").with(Field::password("password", "current-password").required());
    let begin = if standing.is_set { begin.with(code(false)).button("更换认证器") } else { begin.button("设置动态码") };
    let renew = standing.is_set.then(|| {
        let form = Form::of::<RenewRecoveryCodesRequest>(&desk, "renew", "/security/recoveryCodes").folded("重新生成恢复码");
        form.with(Field::password("password", "current-password").required()).with(code(false)).button("重新生成")
    });
    Ok(render(&SecurityPage { desk, standing, begin, renew }))
}

/// The field of a code.
fn code(is_new: bool) -> Field {
    let field = Field::line("code").required().limit(20);
    if is_new { field.hint("认证器显示的6位数字") } else { field.hint("认证器显示的6位数字，或一个恢复码") }
}

#[derive(Deserialize)]
struct SecureForm {
    request_id: String,
    password: String,
    #[serde(default)]
    code: String,
}

async fn begin(desk: Desk, Sent(sent): Sent<SecureForm>) -> Result<Response, PageError> {
    let desk = desk.at(PAGE);
    let asked = desk.change(&sent.request_id, BeginSecondFactorRequest { password: sent.password, code: sent.code });
    let proposed = desk.sessions().begin_second_factor(asked).await.map_err(refused)?.into_inner();
    Ok(proposed_page(desk, None, proposed.secret, &proposed.uri))
}

fn proposed_page(desk: Desk, wrong: Option<Note>, secret: String, uri: &str) -> Response {
    let confirm = Form::of::<ConfirmSecondFactorRequest>(&desk, "confirm", "/security/confirm").hidden("secret", &secret).hidden("uri", uri);
    let confirm = confirm.with(code(true)).button("确认");
    let picture = QrCode::new(uri).ok().map(|code| {
        let drawn = code.render::<svg::Color<'_>>().min_dimensions(PICTURE, PICTURE).build();
        // Within a page there is no prologue.
        drawn.find("<svg").map_or_else(String::new, |begin| drawn[begin..].to_owned())
    });
    render(&ProposedPage { desk, wrong, secret, picture, confirm })
}

#[derive(Deserialize)]
struct ConfirmForm {
    request_id: String,
    secret: String,
    uri: String,
    code: String,
}

async fn confirm(State(gateway): State<Arc<Gateway>>, desk: Desk, Sent(sent): Sent<ConfirmForm>) -> Result<Response, PageError> {
    let ConfirmForm { request_id, secret, uri, code } = sent;
    let desk = desk.at(PAGE);
    match desk.sessions().confirm_second_factor(desk.change(&request_id, ConfirmSecondFactorRequest { code })).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let cookie = session::cookie(&answer.access_token, gateway.secure_cookies);
            let page = render(&CodesPage { desk, codes: answer.recovery_codes, is_new: true });
            Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), page).into_response())
        }
        // The picture stays: whoever mistyped scans nothing again.
        Err(status) if reason_of(&status) == Some(Reason::WrongCode) => Ok(proposed_page(desk, Note::wrong(status.message()), secret, &uri)),
        Err(status) => Err(refused(status)),
    }
}

/// A wrong password or code is said at the form; a session that is over begins anew.
fn refused(status: Status) -> PageError {
    if reason_of(&status) == Some(Reason::Unauthenticated) { PageError::LogIn } else { PageError::Refused(status) }
}

async fn renew(desk: Desk, Sent(sent): Sent<SecureForm>) -> Result<Response, PageError> {
    let desk = desk.at(PAGE);
    let asked = desk.change(&sent.request_id, RenewRecoveryCodesRequest { password: sent.password, code: sent.code });
    let codes = desk.sessions().renew_recovery_codes(asked).await.map_err(refused)?.into_inner().recovery_codes;
    Ok(render(&CodesPage { desk, codes, is_new: false }).into_response())
}
