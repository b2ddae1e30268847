//! Files that people send: sent, previewed, written, followed while that lasts, looked up again, taken back. The same for students, award
//! lists, schools and accounts; which is meant is a [`Target`].

mod target;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use askama::Template;
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Multipart, Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    common::{
        ImportReport, ImportSummary, Problem, Upload,
        import_report::{Stage, State},
    },
    enrollment::GetRegistryRequest,
};

use self::target::Target;
use super::{Desk, PageError, render, show};
use crate::Gateway;

/// Bytes of a form with a file at most: the file, and what the form adds.
const FORM_BYTES: usize = 49 * 1024 * 1024;
/// Rows of a cause that a page shows.
const ROWS_SHOWN: usize = 30;
/// A page waits so long for an import that runs before it says how far it is: most are done by then.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/import", get(form).post(send_students))
        .route("/imports", get(students_archive))
        .route("/imports/{import}", get(students_report))
        .route("/imports/{import}/commit", post(students_commit))
        .route("/imports/{import}/takeBack", post(students_take_back))
        .route("/schools/{school}/lists/{list}/upload", post(send_awards))
        .route("/schools/{school}/lists/{list}/imports", get(awards_archive))
        .route("/schools/{school}/lists/{list}/imports/{import}", get(awards_report))
        .route("/schools/{school}/lists/{list}/imports/{import}/commit", post(awards_commit))
        .route("/schools/{school}/lists/{list}/imports/{import}/takeBack", post(awards_take_back))
        .route("/schoolImports", get(schools_archive).post(send_schools))
        .route("/schoolImports/{import}", get(schools_report))
        .route("/schoolImports/{import}/commit", post(schools_commit))
        .route("/accountImports", get(accounts_archive).post(send_accounts))
        .route("/accountImports/{import}", get(accounts_report))
        .route("/accountImports/{import}/commit", post(accounts_commit))
        .route("/accountImports/{import}/takeBack", post(accounts_take_back))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

#[derive(Template)]
#[template(path = "import.html")]
struct FormPage {
    desk: Desk,
    error: String,
}

/// Problems of one kind.
pub struct Kind {
    /// Column and reason.
    pub title: String,
    /// How many.
    pub count: usize,
    /// The first of them.
    pub rows: Vec<Problem>,
}

/// Problems grouped by what is wrong, most frequent first.
fn by_cause(problems: &[Problem]) -> Vec<Kind> {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        kinds.entry((problem.column.as_str(), problem.code.as_str())).or_default().push(problem);
    }
    let mut kinds: Vec<Kind> = kinds
        .into_iter()
        .map(|((column, _), rows)| Kind {
            title: if column.is_empty() { rows[0].reason.clone() } else { format!("【{column}】{}", rows[0].reason) },
            count: rows.len(),
            rows: rows.into_iter().take(ROWS_SHOWN).cloned().collect(),
        })
        .collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    kinds
}

#[derive(Template)]
#[template(path = "import_report.html")]
struct ReportPage {
    desk: Desk,
    target: Target,
    report: ImportReport,
    problems: Vec<Kind>,
    warnings: Vec<Kind>,
    kept: Vec<Kind>,
    request_id: String,
    error: String,
}

impl ReportPage {
    fn title(&self) -> String {
        let act = match (self.report.state(), self.report.preview) {
            (State::Running, true) => "正在读取",
            (State::Running, false) => "正在写入",
            (State::Refused, _) => "没有导入",
            (State::Lost, _) => "导入中断",
            (State::TakenBack, _) => "已撤回",
            (State::Done | State::Unspecified, true) => "预览",
            (State::Done | State::Unspecified, false) if self.report.rows_new + self.report.rows_changed == 0 => "没有可写入的内容",
            (State::Done | State::Unspecified, false) => "导入完成",
        };
        format!("{act}（{}）", self.target.what())
    }

    fn runs(&self) -> bool {
        self.report.state() == State::Running
    }

    /// Whether it was read to its end.
    fn was_read(&self) -> bool {
        matches!(self.report.state(), State::Done | State::TakenBack | State::Unspecified)
    }

    fn was_lost(&self) -> bool {
        self.report.state() == State::Lost
    }

    fn stage(&self) -> &'static str {
        match self.report.stage() {
            Stage::Unspecified | Stage::Reading => "读取文件",
            Stage::Checking => "逐行检查",
            Stage::Comparing => "与已有记录比对",
            Stage::Writing => "写入",
        }
    }

    fn can_write(&self) -> bool {
        self.was_read() && self.report.preview && self.target.is_of(&self.desk.user)
    }

    /// What taking back does, where who looks may.
    fn taken_back(&self) -> Option<&'static str> {
        self.target.taken_back().filter(|_| self.was_read() && self.report.rows_returnable > 0 && self.target.is_of(&self.desk.user))
    }

    /// Where one-time passwords are made for those who came.
    fn passwords(&self) -> Option<String> {
        let came = !self.report.preview && self.report.state() == State::Done && self.report.rows_returnable > 0;
        self.target.passwords(&self.report.import_id).filter(|_| came)
    }

    fn will_write(&self) -> i32 {
        self.report.rows_new + self.report.rows_changed
    }

    fn time(&self) -> String {
        show::time(&self.report.time)
    }

    fn marked(&self) -> String {
        self.target.marked(&self.report.import_id)
    }

    fn path(&self) -> String {
        format!("{}/{}", self.target.imports(), self.report.import_id)
    }
}

async fn form(desk: Desk) -> Result<Response, PageError> {
    // A page that shows nothing else is shown to whom the service knows.
    desk.directory().get_registry(desk.request(GetRegistryRequest {})).await?;
    Ok(render(&FormPage { desk, error: String::new() }))
}

/// A file that a form brings.
#[derive(Default)]
pub struct Sent {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// What it is called.
    pub name: String,
    /// What else the form says.
    pub fields: BTreeMap<String, String>,
}

/// The file of a form.
pub async fn sent(mut form: Multipart) -> Result<Sent, Status> {
    let broken = |_| Status::invalid_argument("上传中断或文件过大（上限48MB），请重试或分批上传");
    let mut sent = Sent::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            field.file_name().unwrap_or_default().clone_into(&mut sent.name);
            sent.bytes = field.bytes().await.map_err(broken)?.to_vec();
        } else {
            sent.fields.insert(name, field.text().await.unwrap_or_default());
        }
    }
    Ok(sent)
}

/// Sends the file of a form for a preview; answers where that is.
async fn send(desk: &Desk, target: &Target, form: Multipart) -> Result<String, Status> {
    let _turn = desk.gateway.turn_of_form().await?;
    let Sent { bytes, name, fields } = sent(form).await?;
    let head = target.head(Upload {
        preview: true,
        include_hidden: fields.contains_key("include_hidden"),
        blank_clears: fields.contains_key("blank_clears"),
        file_name: name,
        wait: Some(false),
        ..Upload::default()
    });
    let request_id = fields.get("request_id").cloned().unwrap_or_else(|| desk.new_request_id());
    let report = target.send(desk, &request_id, head, bytes).await?;
    Ok(format!("{}/{}", target.imports(), report.import_id))
}

async fn send_students(desk: Desk, form: Multipart) -> Result<Response, PageError> {
    match send(&desk, &Target::students(&desk), form).await {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => Ok(render(&FormPage { desk, error: status.message().to_owned() })),
    }
}

async fn send_awards(desk: Desk, Path((school, list)): Path<(String, String)>, form: Multipart) -> Result<Response, PageError> {
    let target = Target::Awards { school: school.clone(), list: list.clone() };
    match send(&desk, &target, form).await {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => super::lists::refused(desk, school, list, status.message().to_owned()).await,
    }
}

/// An import's report; what is nearly done is waited for.
async fn settled(desk: &Desk, target: &Target, import: &str) -> Result<ImportReport, Status> {
    let until = tokio::time::Instant::now() + SHORT_WAIT;
    loop {
        let report = target.report(desk, import).await?;
        if report.state() != State::Running || tokio::time::Instant::now() >= until {
            return Ok(report);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn report(desk: Desk, target: Target, import: &str, error: String) -> Result<Response, PageError> {
    let report = settled(&desk, &target, import).await?;
    let (problems, warnings, kept) = (by_cause(&report.problems), by_cause(&report.warnings), by_cause(&report.kept));
    let request_id = desk.new_request_id();
    Ok(render(&ReportPage { desk, target, report, problems, warnings, kept, request_id, error }))
}

async fn students_report(desk: Desk, Path(import): Path<String>) -> Result<Response, PageError> {
    let target = Target::students(&desk);
    report(desk, target, &import, String::new()).await
}

async fn awards_report(desk: Desk, Path((school, list, import)): Path<(String, String, String)>) -> Result<Response, PageError> {
    report(desk, Target::Awards { school, list }, &import, String::new()).await
}

#[derive(Deserialize)]
struct ActForm {
    request_id: String,
    #[serde(default)]
    all_or_nothing: bool,
}

async fn commit(desk: Desk, target: Target, import: &str, form: &ActForm) -> Result<Response, PageError> {
    match target.commit(&desk, form, import).await {
        Ok(begun) => Ok(Redirect::to(&format!("{}/{}", target.imports(), begun.import_id)).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => report(desk, target, import, status.message().to_owned()).await,
    }
}

async fn students_commit(desk: Desk, Path(import): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    let target = Target::students(&desk);
    commit(desk, target, &import, &form).await
}

async fn awards_commit(desk: Desk, Path((school, list, import)): Path<(String, String, String)>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    commit(desk, Target::Awards { school, list }, &import, &form).await
}

async fn take_back(desk: Desk, target: Target, import: &str, form: &ActForm) -> Result<Response, PageError> {
    match target.take_back(&desk, form, import).await {
        Ok(()) => Ok(Redirect::to(&format!("{}/{import}", target.imports())).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => report(desk, target, import, status.message().to_owned()).await,
    }
}

async fn students_take_back(desk: Desk, Path(import): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    let target = Target::students(&desk);
    take_back(desk, target, &import, &form).await
}

async fn awards_take_back(desk: Desk, Path((school, list, import)): Path<(String, String, String)>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    take_back(desk, Target::Awards { school, list }, &import, &form).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ArchiveQuery {
    query: String,
    state: String,
    act: String,
    page: String,
}

#[derive(Template)]
#[template(path = "imports.html")]
struct ArchivePage {
    desk: Desk,
    target: Target,
    rows: Vec<ImportSummary>,
    asked: ArchiveQuery,
    next: String,
    error: String,
}

impl ArchivePage {
    fn state(row: &ImportSummary) -> &'static str {
        match (row.state(), row.preview) {
            (State::Running, _) => "进行中",
            (State::Done | State::Unspecified, true) => "预览，未写入",
            (State::Done | State::Unspecified, false) => "办理完毕",
            (State::Refused, _) => "没有导入",
            (State::Lost, _) => "中断，未写入",
            (State::TakenBack, _) => "已撤回",
        }
    }

    fn class(row: &ImportSummary) -> &'static str {
        match row.state() {
            State::Refused | State::Lost => "bad",
            State::Done if !row.preview => "good",
            _ => "",
        }
    }

    fn has_marks(row: &ImportSummary) -> bool {
        row.file_kept && matches!(row.state(), State::Done | State::TakenBack | State::Unspecified)
    }

    fn name(row: &ImportSummary) -> &str {
        if row.file_name.is_empty() { "（没有文件名）" } else { &row.file_name }
    }

    fn time(row: &ImportSummary) -> String {
        show::time(&row.time)
    }

    fn is_asked(&self) -> bool {
        !(self.asked.query.is_empty() && self.asked.state.is_empty() && self.asked.act.is_empty())
    }
}

async fn archive(desk: Desk, target: Target, asked: ArchiveQuery, error: String) -> Result<Response, PageError> {
    let (rows, next) = target.list(&desk, &asked).await?;
    Ok(render(&ArchivePage { desk, target, rows, asked, next, error }))
}

async fn students_archive(desk: Desk, Query(asked): Query<ArchiveQuery>) -> Result<Response, PageError> {
    let target = Target::students(&desk);
    archive(desk, target, asked, String::new()).await
}

async fn awards_archive(desk: Desk, Path((school, list)): Path<(String, String)>, Query(asked): Query<ArchiveQuery>) -> Result<Response, PageError> {
    archive(desk, Target::Awards { school, list }, asked, String::new()).await
}

/// Sends a file of schools or of accounts; where it is refused, that is told above those of before.
async fn send_directory(desk: Desk, target: Target, form: Multipart) -> Result<Response, PageError> {
    match send(&desk, &target, form).await {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => archive(desk, target, ArchiveQuery::default(), status.message().to_owned()).await,
    }
}

async fn send_schools(desk: Desk, form: Multipart) -> Result<Response, PageError> {
    send_directory(desk, Target::Schools, form).await
}

async fn send_accounts(desk: Desk, form: Multipart) -> Result<Response, PageError> {
    send_directory(desk, Target::Accounts, form).await
}

async fn schools_archive(desk: Desk, Query(asked): Query<ArchiveQuery>) -> Result<Response, PageError> {
    archive(desk, Target::Schools, asked, String::new()).await
}

async fn accounts_archive(desk: Desk, Query(asked): Query<ArchiveQuery>) -> Result<Response, PageError> {
    archive(desk, Target::Accounts, asked, String::new()).await
}

async fn schools_report(desk: Desk, Path(import): Path<String>) -> Result<Response, PageError> {
    report(desk, Target::Schools, &import, String::new()).await
}

async fn accounts_report(desk: Desk, Path(import): Path<String>) -> Result<Response, PageError> {
    report(desk, Target::Accounts, &import, String::new()).await
}

async fn schools_commit(desk: Desk, Path(import): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    commit(desk, Target::Schools, &import, &form).await
}

async fn accounts_commit(desk: Desk, Path(import): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    commit(desk, Target::Accounts, &import, &form).await
}

async fn accounts_take_back(desk: Desk, Path(import): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    take_back(desk, Target::Accounts, &import, &form).await
}
