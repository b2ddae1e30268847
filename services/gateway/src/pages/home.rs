//! Logging in and out, the password, and today: what waits for whom since when, by deadline.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::{
    aid::{AwardList, Cause, GetMirrorRequest, ListAwardListsRequest, ListCausesRequest, award_list},
    enrollment::{
        ChangePasswordRequest, CreateSessionRequest, EndSessionRequest, ListEnrollmentsRequest, ListSubmissionsRequest, Submission, enrollment,
        session_service_client::SessionServiceClient, submission,
    },
};

use super::{Desk, PageError, render, session, show};
use crate::Gateway;

/// Rows of each kind and state that the page of today shows.
const ROWS: i32 = 200;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/", get(today))
        .route("/login", get(log_in_page).post(log_in))
        .route("/logout", post(log_out))
        .route("/password", get(password_page).post(change_password))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LogInPage {
    error: String,
    account: String,
    freshness: String,
    /// Whether this browser would keep no cookie of ours: they are for HTTPS only, and it came by plain HTTP.
    no_cookie: bool,
}

#[derive(Deserialize)]
struct LogInForm {
    account: String,
    password: String,
}

async fn log_in_page(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    render(&LogInPage { error: String::new(), account: String::new(), freshness: gateway.freshness(), no_cookie: keeps_no_cookie(&gateway, &headers) })
}

/// Whether a browser that sent these headers throws our cookies away: it would come back to the log-in page again and again.
fn keeps_no_cookie(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A proxy in front that speaks HTTPS says so; a browser says of itself whether it trusts where it is.
    let secure = text("x-forwarded-proto").eq_ignore_ascii_case("https") || text("origin").starts_with("https://") || !text("sec-fetch-site").is_empty();
    gateway.secure_cookies && !secure
}

async fn log_in(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Form(form): Form<LogInForm>) -> Response {
    let request = super::from_where(&headers, CreateSessionRequest { account: form.account.trim().to_owned(), password: form.password });
    match SessionServiceClient::new(gateway.upstreams.enrollment.clone()).create_session(request).await {
        Ok(answer) => {
            let session = answer.into_inner();
            let to = if session.must_change_password { "/password" } else { "/" };
            (AppendHeaders([(header::SET_COOKIE, session::cookie(&session.access_token, gateway.secure_cookies))]), Redirect::to(to)).into_response()
        }
        Err(status) => {
            let no_cookie = keeps_no_cookie(&gateway, &headers);
            render(&LogInPage { error: status.message().to_owned(), account: form.account, freshness: gateway.freshness(), no_cookie })
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

/// Something that waits.
struct Task {
    what: String,
    count: i32,
    who: &'static str,
    since: String,
    due: String,
    overdue: bool,
    mine: bool,
    link: String,
}

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    desk: Desk,
    tasks: Vec<Task>,
    causes: Vec<Cause>,
    drafts: i32,
    sent_back: i32,
    done: Vec<AwardList>,
    /// Records that enrollment forgot, of schools that one may see.
    forgotten: i32,
}

async fn today(desk: Desk) -> Result<Response, PageError> {
    if desk.user.is_admin() {
        return Ok(Redirect::to("/accounts").into_response());
    }
    let today = desk.mirror.as_ref().map(|mirror| mirror.civil_date.clone()).unwrap_or_default();
    let mut tasks = Vec::new();
    // What waits is asked for by its state: what is done must not push it off the page.
    for state in [submission::State::Submitted, submission::State::Attested] {
        let asked = ListSubmissionsRequest { page_size: ROWS, state: state.into(), ..Default::default() };
        let waiting = desk.submissions().list_submissions(desk.request(asked)).await?.into_inner().submissions;
        tasks.extend(waiting.iter().filter_map(|submission| of_submission(&desk, submission, &today)));
    }
    let mut done = Vec::new();
    for state in [award_list::State::Draft, award_list::State::Submitted, award_list::State::Attested, award_list::State::Approved] {
        let asked = ListAwardListsRequest { page_size: ROWS, state: state.into(), ..Default::default() };
        // Without aid the page still shows what it can.
        let lists = desk.awards().list_award_lists(desk.request(asked)).await.map(|answer| answer.into_inner().lists).unwrap_or_default();
        tasks.extend(lists.iter().flat_map(|list| of_list(&desk, list, &today)));
        if state == award_list::State::Approved {
            done = lists.into_iter().take(5).collect();
        }
    }
    let causes =
        desk.reconciliation().list_causes(desk.request(ListCausesRequest::default())).await.map(|answer| answer.into_inner().causes).unwrap_or_default();
    tasks.sort_by(|a, b| (!a.mine, &a.due).cmp(&(!b.mine, &b.due)));
    let (drafts, sent_back) =
        if desk.user.is_school() { (count(&desk, enrollment::State::Draft).await?, count(&desk, enrollment::State::SentBack).await?) } else { (0, 0) };
    let forgotten = desk.reconciliation().get_mirror(desk.request(GetMirrorRequest {})).await.map_or(0, |answer| answer.into_inner().forgotten);
    Ok(render(&TodayPage { desk, tasks, causes, drafts, sent_back, done, forgotten }))
}

async fn count(desk: &Desk, state: enrollment::State) -> Result<i32, PageError> {
    let asked = ListEnrollmentsRequest { school: desk.user.org.clone(), state: state.into(), page_size: 1, ..Default::default() };
    Ok(desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner().total_size)
}

fn of_submission(desk: &Desk, submission: &Submission, today: &str) -> Option<Task> {
    let (who, mine) = match submission.state() {
        submission::State::Submitted => ("校长签核", desk.user.is_principal()),
        submission::State::Attested => ("主管部门审核", desk.user.decides_for(&submission.waits_authority)),
        _ => return None,
    };
    Some(Task {
        what: format!("学籍注册（{}）", submission.school_name),
        count: submission.count,
        who,
        since: submission.waiting_since.clone(),
        overdue: !today.is_empty() && submission.due_date.as_str() < today,
        due: submission.due_date.clone(),
        mine,
        link: format!("/schools/{}/submissions/{}", submission.school, submission.submission),
    })
}

/// What a list waits for: its entries may wait for several at once.
fn of_list(desk: &Desk, list: &AwardList, today: &str) -> Vec<Task> {
    let waits = [
        ("学校提交", desk.user.is_clerk(), list.drafts, ""),
        ("学校改正后重新提交", desk.user.is_clerk(), list.sent_back, ""),
        ("校长签核", desk.user.is_principal(), list.submitted, list.submitted_date.as_str()),
        ("主管部门审核", desk.user.decides_for(&list.authority), list.attested - list.held_attested, list.attested_date.as_str()),
        // Whoever is held waits for the flag, not for the list.
        ("疑点说明和核定", false, list.held_attested, list.attested_date.as_str()),
    ];
    let supplement = if list.supplement > 0 { format!("补充名单{}", list.supplement) } else { "名单".to_owned() };
    let task = |(who, mine, count, since): (&'static str, bool, i32, &str)| Task {
        what: format!("{}{}{supplement}（{}）", show::term(&list.term), show::scheme(&list.scheme), list.school_name),
        count,
        who,
        since: since.to_owned(),
        overdue: !today.is_empty() && list.due_date.as_str() < today,
        due: list.due_date.clone(),
        mine,
        link: format!("/schools/{}/lists/{}", list.school, list.list),
    };
    waits.into_iter().filter(|(_, _, count, _)| *count > 0).map(task).collect()
}
