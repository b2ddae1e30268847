//! Pages, rendered on the server, readable without JavaScript. Each asks the services with the token of who looks.

pub mod fresh;
mod groups;
mod hardship;
pub mod home;
pub mod session;
pub mod show;
pub mod today;
pub mod told;
pub mod waits;

mod accounts;
mod audit;
mod cases;
mod chains;
mod classes;
mod confirmations;
mod deputies;
mod dossiers;
mod doubles;
mod evidence;
mod flags;
mod forgotten;
mod head_count;
mod imports;
mod inspection;
mod lists;
mod notices;
mod numbers;
mod omissions;
mod overview;
mod passwords;
mod pickers;
mod policies;
mod printed;
mod quotas;
mod reasons;
mod school;
mod schools;
mod search;
mod security;
mod statements;
mod students;
mod submissions;
mod summaries;
mod takeouts;

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts as HttpParts},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use tonic::{Code, Status};
use xuezhu_proto::{
    aid::{
        self, GetMirrorResponse, aid_audit_service_client::AidAuditServiceClient, aid_dossier_service_client::AidDossierServiceClient,
        aid_take_out_service_client::AidTakeOutServiceClient, aid_today_service_client::AidTodayServiceClient, award_service_client::AwardServiceClient,
        forgotten_service_client::ForgottenServiceClient, hardship_service_client::HardshipServiceClient, notice_service_client::NoticeServiceClient,
        overview_service_client::OverviewServiceClient, policy_service_client::PolicyServiceClient, quota_service_client::QuotaServiceClient,
        reconciliation_service_client::ReconciliationServiceClient, register_service_client::RegisterServiceClient,
    },
    enrollment::{
        self, GetRegistryRequest, class_service_client::ClassServiceClient, deputy_service_client::DeputyServiceClient,
        directory_file_service_client::DirectoryFileServiceClient, directory_service_client::DirectoryServiceClient,
        enrollment_audit_service_client::EnrollmentAuditServiceClient, enrollment_dossier_service_client::EnrollmentDossierServiceClient,
        enrollment_service_client::EnrollmentServiceClient, enrollment_take_out_service_client::EnrollmentTakeOutServiceClient,
        enrollment_today_service_client::EnrollmentTodayServiceClient, session_service_client::SessionServiceClient,
        submission_service_client::SubmissionServiceClient,
    },
};
use xuezhu_service::{
    clock::rfc3339,
    serve::MESSAGE_BYTES,
    trace::{TRACEPARENT, Trace},
    uploads::Turn,
};

use xuezhu_domain::Term;

pub use crate::parts::words::in_chinese;
use crate::{
    Gateway,
    parts::{
        Address, Note, about,
        returned::{self, Pages, Returned, Unanswered},
    },
    rest,
    upstream::Line,
};
use session::User;
use waits::Waits;

/// When a page says that nobody uses it: a while before the session ends that was used last when the page was asked for. No script runs here,
/// so that it is a matter of style.
async fn idle_style(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    let style = match gateway.idle {
        Some(idle) => format!(".idle {{ animation: idle 1s step-end {}s forwards; }}\n", idle.saturating_sub(idle / 6).as_secs()),
        None => String::new(),
    };
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], style)
}

/// Every page.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let router = Router::new()
        .merge(about::routes())
        .merge(home::routes())
        .merge(today::routes())
        .merge(accounts::routes())
        .merge(confirmations::routes())
        .merge(security::routes())
        .merge(schools::routes())
        .merge(search::routes())
        .merge(school::routes())
        .merge(imports::routes())
        .merge(passwords::routes())
        .merge(students::routes())
        .merge(submissions::routes())
        .merge(lists::routes())
        .merge(overview::routes())
        .merge(flags::routes())
        .merge(cases::routes())
        .merge(forgotten::routes())
        .merge(doubles::routes())
        .merge(dossiers::routes())
        .merge(evidence::routes())
        .merge(chains::routes())
        .merge(policies::routes())
        .merge(hardship::routes())
        .merge(groups::routes())
        .merge(notices::routes())
        .merge(quotas::routes())
        .merge(statements::routes())
        .merge(omissions::routes())
        .merge(summaries::routes())
        .merge(inspection::routes())
        .merge(numbers::routes())
        .merge(head_count::routes())
        .merge(classes::routes())
        .merge(deputies::routes())
        .merge(takeouts::routes())
        .merge(audit::routes())
        .route("/assets/idle.css", get(idle_style))
        .route("/assets/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../assets/style.css")) }))
        .with_state(gateway.clone());
    let pages = Pages { gateway, router: router.clone() };
    router.layer(middleware::from_fn_with_state(pages, returned::bring_back)).layer(middleware::from_fn(own_forms_only))
}

/// Forms are taken only from our own pages. The cookie is `SameSite=Strict`; this is the second lock.
async fn own_forms_only(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !session::is_own_page(request.headers()) {
        return PageError::Refused(Status::permission_denied("表单来自其他网站，已拒绝")).into_response();
    }
    next.run(request).await
}

/// Who looks, with what every page shows.
pub struct Desk {
    gateway: Arc<Gateway>,
    token: String,
    address: String,
    trace: Option<Trace>,
    /// Who is logged in.
    pub user: User,
    /// Where the page is.
    pub here: Address,
    /// A form that comes back to it.
    pub returned: Option<Arc<Returned>>,
    /// How much waits for whoever looks.
    pub waits: Waits,
    /// What was done just now.
    pub told: Option<Note>,
    /// How fresh the mirror is; none where aid does not answer.
    pub mirror: Option<GetMirrorResponse>,
    /// The population registry: `none` or `file`.
    pub registry: String,
}

/// A request that a page can't answer.
pub enum PageError {
    /// Nobody is logged in.
    LogIn,
    /// The one-time password comes first.
    ChangePassword,
    /// The second factor comes first.
    SetFactor,
    /// A service refused.
    Refused(Status),
}

impl From<Status> for PageError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::Unauthenticated => Self::LogIn,
            _ => Self::Refused(status),
        }
    }
}

#[derive(Clone, Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    message: String,
    hint: &'static str,
    /// Whether something was filled in that was not taken.
    refused: bool,
    /// How fresh the enrollment data were when somebody last looked.
    freshness: String,
    /// The id under which the request can be found.
    trace: String,
}

impl PageError {
    /// The code of HTTP with which a refusal is answered.
    pub fn http_code(status: &Status) -> StatusCode {
        Self::told(status).0
    }

    fn told(status: &Status) -> (StatusCode, &'static str, &'static str) {
        match if rest::went_away(status) { Code::Unavailable } else { status.code() } {
            Code::NotFound => (StatusCode::NOT_FOUND, "找不到", "请检查链接，或从首页重新进入。"),
            Code::PermissionDenied => (StatusCode::FORBIDDEN, "无权操作", "请换用有权限的账号登录。"),
            Code::InvalidArgument => (StatusCode::BAD_REQUEST, "填写有误", "请返回修改后重试。"),
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, "服务暂时不可用", "数据没有丢失，请稍后重试。"),
            Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "请求过于频繁", "请稍等片刻再试。"),
            Code::Internal | Code::Unknown => (StatusCode::INTERNAL_SERVER_ERROR, "系统内部错误", "已记录，请稍后重试。"),
            _ => (StatusCode::CONFLICT, "未能办理", "请返回查看最新状态。"),
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::LogIn => {
                let mut response = Redirect::to("/login").into_response();
                response.extensions_mut().insert(Unanswered::LogIn);
                response
            }
            Self::ChangePassword => Redirect::to("/password").into_response(),
            Self::SetFactor => Redirect::to(security::PAGE).into_response(),
            Self::Refused(status) => {
                let (code, title, hint) = Self::told(&status);
                let page = ErrorPage {
                    title,
                    message: in_chinese(status.message()),
                    hint,
                    refused: code != StatusCode::NOT_FOUND,
                    freshness: String::new(),
                    trace: String::new(),
                };
                let mut response = (code, render(&page)).into_response();
                response.extensions_mut().insert(page);
                response.extensions_mut().insert(Unanswered::Refused(status));
                response
            }
        }
    }
}

/// Says on a page of what went wrong, too, how fresh the data are, and under which id the request can be found.
pub async fn with_freshness(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let trace = request.extensions().get::<Trace>().map(|trace| trace.id().to_string()).unwrap_or_default();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ErrorPage>() {
        Some(page) => (response.status(), render(&ErrorPage { freshness: gateway.freshness(), trace, ..page })).into_response(),
        None => response,
    }
}

/// How fresh the enrollment data are, in words.
fn freshness(as_of_time: &str, lag_seconds: f64) -> String {
    format!("学籍数据截至 {}，延迟 {:.0} 秒", show::clock(as_of_time), lag_seconds.max(0.0))
}

impl Gateway {
    /// The same where nobody is known who could ask: as when somebody last asked, and as much older. Nothing before.
    fn freshness(&self) -> String {
        let Some(age) = self.last_told.age().and_then(|age| Duration::try_from_secs_f64(age).ok()) else { return String::new() };
        let as_of_us = self.clock.now_us() - i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        freshness(&rfc3339(as_of_us), age.as_secs_f64())
    }
}

/// Said of an act that a page does not know: nothing is done.
pub fn unknown_act(act: &str) -> PageError {
    let act: String = act.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    PageError::Refused(Status::invalid_argument(format!("没有“{act}”这项操作，什么也没有办理；请回到页面重新点按钮")))
}

/// A page as HTML.
pub fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl FromRequestParts<Arc<Gateway>> for Desk {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut HttpParts, gateway: &Arc<Gateway>) -> Result<Self, PageError> {
        let Arriving(mut desk) = Arriving::from_request_parts(parts, gateway).await?;
        let day = gateway.clock.today();
        // What is changed may change what waits: it is counted for the page that follows.
        let (told, waits) = if parts.method == Method::POST {
            gateway.waits.forget(&desk.token);
            (gateway.last_told.get(&desk, day).await, Waits::default())
        } else {
            tokio::join!(gateway.last_told.get(&desk, day), gateway.waits.get(&desk))
        };
        let told = told?;
        (desk.mirror, desk.registry, desk.waits) = (told.mirror, told.registry, waits);
        Ok(desk)
    }
}

/// Who looks, before anything was asked: for a page that hears by the way what every page shows.
pub struct Arriving(pub Desk);

impl FromRequestParts<Arc<Gateway>> for Arriving {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut HttpParts, gateway: &Arc<Gateway>) -> Result<Self, PageError> {
        let token = session::token(&parts.headers).ok_or(PageError::LogIn)?;
        let user = User::of(&token, gateway.clock.today()).ok_or(PageError::LogIn)?;
        if user.must_change_password && parts.uri.path() != "/password" {
            return Err(PageError::ChangePassword);
        }
        if user.must_set_factor && !security::is_of(parts.uri.path()) && parts.uri.path() != "/password" {
            return Err(PageError::SetFactor);
        }
        let address = address(&parts.headers);
        let trace = parts.extensions.get().copied();
        let here = parts.uri.path_and_query().and_then(|whole| Address::own(whole.as_str())).unwrap_or_default();
        let returned = parts.extensions.get().cloned();
        let waits = Waits::default();
        let told = if parts.method == Method::GET { gateway.to_tell.take(&token).and_then(|text| Note::done(&text)) } else { None };
        Ok(Self(Desk { gateway: gateway.clone(), token, address, trace, user, here, returned, waits, told, mirror: None, registry: String::new() }))
    }
}

fn address(headers: &HeaderMap) -> String {
    headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// A message of nobody who is known here: with where it came from, and the request that it is part of.
fn from_where<T>(headers: &HeaderMap, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    for name in ["x-forwarded-for", TRACEPARENT] {
        if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok()) {
            request.metadata_mut().insert(name, value);
        }
    }
    request
}

impl Desk {
    /// A message in the name of who looks.
    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Ok(value) = format!("Bearer {}", self.token).parse() {
            request.metadata_mut().insert("authorization", value);
        }
        if let Ok(value) = self.address.parse() {
            request.metadata_mut().insert("x-forwarded-for", value);
        }
        if let Some(value) = self.trace.and_then(|trace| trace.to_string().parse().ok()) {
            request.metadata_mut().insert(TRACEPARENT, value);
        }
        request
    }

    /// A message that changes something, under the request id of its form: sent twice, it counts once.
    pub fn change<T>(&self, request_id: &str, message: T) -> tonic::Request<T> {
        let mut request = self.request(message);
        if let Ok(value) = request_id.parse() {
            request.metadata_mut().insert("idempotency-key", value);
        }
        request
    }

    /// A turn for a form with a file: of whoever the services know, and before anything of it is read. A page's cookie alone says nothing.
    pub async fn turn_of_form(&self) -> Result<Turn, Status> {
        self.directory().get_registry(self.request(GetRegistryRequest {})).await?;
        Ok(self.gateway.forms.turn(&self.user.sub).await?)
    }

    /// As on another page, where one answers a form of it otherwise than by going on: its forms come back there.
    #[must_use]
    pub fn at(self, page: impl Into<Address>) -> Self {
        Self { here: page.into(), ..self }
    }

    /// Goes on to a page, which tells what was done.
    pub fn done(&self, text: impl Into<String>, page: impl Into<Address>) -> Response {
        self.gateway.waits.forget(&self.token);
        self.gateway.to_tell.keep(&self.token, text.into());
        Redirect::to(&page.into().to_string()).into_response()
    }

    /// A request id for a form.
    pub fn new_request_id(&self) -> String {
        self.gateway.ids.next(self.gateway.clock.now()).to_string()
    }

    /// The line under every page's head: how fresh the enrollment data are.
    pub fn freshness(&self) -> String {
        match &self.mirror {
            Some(mirror) if mirror.as_of_time.is_empty() => "尚未收到学籍数据，暂不能审核名单".to_owned(),
            Some(mirror) if mirror.stale => {
                format!("{}；超过{:.0}分钟，暂不能审核名单", freshness(&mirror.as_of_time, mirror.lag_seconds), mirror.limit_seconds / 60.0)
            }
            Some(mirror) => freshness(&mirror.as_of_time, mirror.lag_seconds),
            None => "资助服务暂时不可用".to_owned(),
        }
    }

    /// Whose school or region it is.
    pub fn place(&self) -> String {
        if self.user.is_school() { self.waits.school.clone() } else { xuezhu_domain::region::full_name(&self.user.org) }
    }

    /// The term.
    pub fn term(&self) -> String {
        Term::of(self.civil_day()).name()
    }

    /// Why a form that does not stand on the page any more was not taken.
    pub fn untold(&self) -> Option<&str> {
        self.returned.as_ref().and_then(|returned| returned.untold())
    }

    /// Whether that line is a warning.
    pub fn is_stale(&self) -> bool {
        self.mirror.as_ref().is_none_or(|mirror| !mirror.connected || mirror.as_of_time.is_empty() || mirror.lag_seconds > 60.0)
    }

    /// The civil day, where it was stepped.
    pub fn stepped_day(&self) -> Option<&str> {
        self.mirror.as_ref().filter(|mirror| mirror.stepped).map(|mirror| mirror.civil_date.as_str())
    }

    fn enrollment_line(&self) -> Line {
        self.gateway.upstreams.enrollment.clone()
    }

    fn aid_line(&self) -> Line {
        self.gateway.upstreams.aid.clone()
    }

    /// Schools and accounts.
    pub fn directory(&self) -> DirectoryServiceClient<Line> {
        DirectoryServiceClient::new(self.enrollment_line())
    }

    /// Schools and accounts as files.
    pub fn directory_files(&self) -> DirectoryFileServiceClient<Line> {
        DirectoryFileServiceClient::new(self.enrollment_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Logging in.
    pub fn sessions(&self) -> SessionServiceClient<Line> {
        SessionServiceClient::new(self.enrollment_line())
    }

    /// Enrollments.
    pub fn enrollments(&self) -> EnrollmentServiceClient<Line> {
        EnrollmentServiceClient::new(self.enrollment_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Classes and their teachers.
    pub fn classes(&self) -> ClassServiceClient<Line> {
        ClassServiceClient::new(self.enrollment_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Submissions.
    pub fn submissions(&self) -> SubmissionServiceClient<Line> {
        SubmissionServiceClient::new(self.enrollment_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// The civil day.
    pub fn civil_day(&self) -> chrono::NaiveDate {
        self.gateway.clock.today()
    }

    /// The system time, in microseconds.
    pub fn now_us(&self) -> i64 {
        self.gateway.clock.now_us()
    }

    /// The civil day, as pages compare it.
    pub fn today(&self) -> String {
        self.gateway.clock.today().to_string()
    }

    /// Who stands in for principals.
    pub fn deputies(&self) -> DeputyServiceClient<Line> {
        DeputyServiceClient::new(self.enrollment_line())
    }

    /// What goes from desk to desk in the enrollment service.
    pub fn enrollment_dossiers(&self) -> EnrollmentDossierServiceClient<Line> {
        EnrollmentDossierServiceClient::new(self.enrollment_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What goes from desk to desk in the aid service.
    pub fn aid_dossiers(&self) -> AidDossierServiceClient<Line> {
        AidDossierServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What the day begins with, of the enrollment service.
    pub fn enrollment_today(&self) -> EnrollmentTodayServiceClient<Line> {
        EnrollmentTodayServiceClient::new(self.enrollment_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What the day begins with, of the aid service.
    pub fn aid_today(&self) -> AidTodayServiceClient<Line> {
        AidTodayServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What was taken out of the enrollment service.
    pub fn enrollment_take_outs(&self) -> EnrollmentTakeOutServiceClient<Line> {
        EnrollmentTakeOutServiceClient::new(self.enrollment_line())
    }

    /// The audit of the enrollment service.
    pub fn enrollment_audit(&self) -> EnrollmentAuditServiceClient<Line> {
        EnrollmentAuditServiceClient::new(self.enrollment_line())
    }

    /// The audit of the aid service.
    pub fn aid_audit(&self) -> AidAuditServiceClient<Line> {
        AidAuditServiceClient::new(self.aid_line())
    }

    /// What was taken out of the aid service.
    pub fn aid_take_outs(&self) -> AidTakeOutServiceClient<Line> {
        AidTakeOutServiceClient::new(self.aid_line())
    }

    /// Policies.
    pub fn policies(&self) -> PolicyServiceClient<Line> {
        PolicyServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Hardship levels.
    pub fn hardship(&self) -> HardshipServiceClient<Line> {
        HardshipServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Notices.
    pub fn notices(&self) -> NoticeServiceClient<Line> {
        NoticeServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Who should be listed and is not.
    pub fn omissions(&self) -> aid::omission_service_client::OmissionServiceClient<Line> {
        aid::omission_service_client::OmissionServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Lists of a class.
    pub fn class_awards(&self) -> aid::class_award_service_client::ClassAwardServiceClient<Line> {
        aid::class_award_service_client::ClassAwardServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Special groups.
    pub fn groups(&self) -> aid::group_service_client::GroupServiceClient<Line> {
        aid::group_service_client::GroupServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Summaries of terms.
    pub fn summaries(&self) -> aid::summary_service_client::SummaryServiceClient<Line> {
        aid::summary_service_client::SummaryServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What students signed.
    pub fn statements(&self) -> aid::statement_service_client::StatementServiceClient<Line> {
        aid::statement_service_client::StatementServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Limits.
    pub fn quotas(&self) -> QuotaServiceClient<Line> {
        QuotaServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// How many students schools have, as enrollment counts them.
    pub fn head_counting(&self) -> enrollment::head_count_service_client::HeadCountServiceClient<Line> {
        enrollment::head_count_service_client::HeadCountServiceClient::new(self.enrollment_line())
    }

    /// The same, compared with what aid holds.
    pub fn head_counts(&self) -> aid::head_count_service_client::HeadCountServiceClient<Line> {
        aid::head_count_service_client::HeadCountServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// How regions stand.
    pub fn overviews(&self) -> OverviewServiceClient<Line> {
        OverviewServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Award lists.
    pub fn awards(&self) -> AwardServiceClient<Line> {
        AwardServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What enrollment forgot.
    pub fn forgotten_records(&self) -> ForgottenServiceClient<Line> {
        ForgottenServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// What was confirmed.
    pub fn register(&self) -> RegisterServiceClient<Line> {
        RegisterServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }

    /// Reconciliation.
    pub fn reconciliation(&self) -> ReconciliationServiceClient<Line> {
        ReconciliationServiceClient::new(self.aid_line()).max_decoding_message_size(MESSAGE_BYTES)
    }
}
