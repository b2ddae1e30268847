//! Files that people send: sent, previewed, written, followed while that lasts, looked up again, taken back. The same for students, award
//! lists, schools and accounts; which is meant is a [`Target`].

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
    aid::{
        CommitAwardImportRequest, GetAwardImportRequest, ImportAwardsRequest, ListAwardImportsRequest, TakeBackAwardImportRequest,
        import_awards_request::Part as AwardPart,
    },
    common::{
        ImportReport, ImportSummary, Problem, Upload,
        import_report::{Stage, State},
    },
    enrollment::{
        CommitAccountImportRequest, CommitImportRequest, CommitSchoolImportRequest, GetAccountImportRequest, GetImportRequest, GetRegistryRequest,
        GetSchoolImportRequest, ImportAccountsRequest, ImportEnrollmentsRequest, ImportSchoolsRequest, ListAccountImportsRequest, ListImportsRequest,
        ListSchoolImportsRequest, TakeBackAccountImportRequest, TakeBackImportRequest, TakeBackSchoolImportRequest,
        import_accounts_request::Part as AccountPart, import_enrollments_request::Part, import_schools_request::Part as SchoolPart,
    },
};

use super::{Desk, PageError, render, session::User, show};
use crate::Gateway;

/// Bytes of a form with a file at most: the file, and what the form adds.
const FORM_BYTES: usize = 49 * 1024 * 1024;
/// Rows of a cause that a page shows.
const ROWS_SHOWN: usize = 30;
/// Imports on a page of the archive.
const IMPORTS_SHOWN: i32 = 50;
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

/// What a file is for.
#[derive(Debug, Clone)]
enum Target {
    /// Students of a school.
    Students { school: String },
    /// An award list of a school.
    Awards { school: String, list: String },
    /// Schools.
    Schools,
    /// Accounts.
    Accounts,
}

impl Target {
    fn students(desk: &Desk) -> Self {
        Self::Students { school: desk.user.org.clone() }
    }

    /// Where its imports are.
    fn imports(&self) -> String {
        match self {
            Self::Students { .. } => "/imports".to_owned(),
            Self::Awards { school, list } => format!("/schools/{school}/lists/{list}/imports"),
            Self::Schools => "/schoolImports".to_owned(),
            Self::Accounts => "/accountImports".to_owned(),
        }
    }

    /// Where what it wrote is seen.
    fn records(&self) -> String {
        match self {
            Self::Students { .. } => "/students?state=DRAFT".to_owned(),
            Self::Awards { school, list } => format!("/schools/{school}/lists/{list}"),
            Self::Schools => "/schools".to_owned(),
            Self::Accounts => "/accounts".to_owned(),
        }
    }

    /// Where another file is sent.
    fn again(&self) -> String {
        if matches!(self, Self::Students { .. }) { "/import".to_owned() } else { format!("{}#send", self.records()) }
    }

    /// Where the marked copy is.
    fn marked(&self, import: &str) -> String {
        match self {
            Self::Students { school } => format!("/v1/schools/{school}/imports/{import}/markedWorkbook"),
            Self::Awards { school, list } => format!("/v1/schools/{school}/awardLists/{list}/imports/{import}/markedWorkbook"),
            Self::Schools => format!("/v1/schoolImports/{import}/markedWorkbook"),
            Self::Accounts => format!("/v1/accountImports/{import}/markedWorkbook"),
        }
    }

    /// What a row is of.
    fn what(&self) -> &'static str {
        match self {
            Self::Students { .. } => "学生",
            Self::Awards { .. } => "名单",
            Self::Schools => "学校",
            Self::Accounts => "账号",
        }
    }

    /// What is to be done after it was written.
    fn next(&self) -> &'static str {
        match self {
            Self::Students { .. } => "下一步在“学生”页提交给校长签核。",
            Self::Awards { .. } => "下一步在“名单”页提交给校长签核。",
            Self::Schools => "下一步为这些学校的人员开账号。",
            Self::Accounts => "这些账号还没有密码：下一步生成一次性密码，打印后交给本人。",
        }
    }

    /// Where one-time passwords are made for those whom an import brought.
    fn passwords(&self, import: &str) -> Option<String> {
        matches!(self, Self::Accounts).then(|| format!("/accountImports/{import}/passwords"))
    }

    /// Whether who looks sends such files.
    fn is_of(&self, user: &User) -> bool {
        if matches!(self, Self::Schools | Self::Accounts) { user.is_admin() } else { user.is_clerk() }
    }

    /// What becomes of what an import wrote, where that can be taken back.
    fn taken_back(&self) -> Option<&'static str> {
        match self {
            Self::Students { .. } | Self::Awards { .. } => Some("更新过的恢复原来的内容。已提交的、之后又改过的不会动，会逐行列出"),
            Self::Accounts => Some("已发的一次性密码随之作废。登录过的不会动，会逐行列出"),
            // They were told to others at once.
            Self::Schools => None,
        }
    }

    async fn report(&self, desk: &Desk, import_id: &str) -> Result<ImportReport, Status> {
        let import_id = import_id.to_owned();
        let report = match self.clone() {
            Self::Students { school } => desk.enrollments().get_import(desk.request(GetImportRequest { school, import_id })).await?.into_inner().report,
            Self::Awards { school, list } => {
                desk.awards().get_award_import(desk.request(GetAwardImportRequest { school, list, import_id })).await?.into_inner().report
            }
            Self::Schools => desk.directory_files().get_school_import(desk.request(GetSchoolImportRequest { import_id })).await?.into_inner().report,
            Self::Accounts => desk.directory_files().get_account_import(desk.request(GetAccountImportRequest { import_id })).await?.into_inner().report,
        };
        Ok(report.unwrap_or_default())
    }

    /// Says in a head what the file is for.
    fn head(&self, head: Upload) -> Upload {
        match self.clone() {
            Self::Students { school } => Upload { school, ..head },
            Self::Awards { school, list } => Upload { school, list, ..head },
            Self::Schools | Self::Accounts => head,
        }
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let report = match self {
            Self::Awards { .. } => {
                let pieces = [AwardPart::Upload(head), AwardPart::Chunk(bytes)].map(|part| ImportAwardsRequest { part: Some(part) });
                desk.awards().import_awards(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
            Self::Students { .. } => {
                let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportEnrollmentsRequest { part: Some(part) });
                desk.enrollments().import_enrollments(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
            Self::Schools => {
                let pieces = [SchoolPart::Upload(head), SchoolPart::Chunk(bytes)].map(|part| ImportSchoolsRequest { part: Some(part) });
                desk.directory_files().import_schools(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
            Self::Accounts => {
                let pieces = [AccountPart::Upload(head), AccountPart::Chunk(bytes)].map(|part| ImportAccountsRequest { part: Some(part) });
                desk.directory_files().import_accounts(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
        };
        Ok(report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, form: &ActForm, import_id: &str) -> Result<ImportReport, Status> {
        let (import_id, all_or_nothing, wait) = (import_id.to_owned(), form.all_or_nothing, Some(false));
        let report = match self.clone() {
            Self::Students { school } => {
                let asked = CommitImportRequest { school, import_id, all_or_nothing, wait };
                desk.enrollments().commit_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
            Self::Awards { school, list } => {
                let asked = CommitAwardImportRequest { school, list, import_id, all_or_nothing, wait };
                desk.awards().commit_award_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
            Self::Schools => {
                let asked = CommitSchoolImportRequest { import_id, all_or_nothing, wait };
                desk.directory_files().commit_school_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
            Self::Accounts => {
                let asked = CommitAccountImportRequest { import_id, all_or_nothing, wait };
                desk.directory_files().commit_account_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
        };
        Ok(report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, form: &ActForm, import_id: &str) -> Result<(), Status> {
        let import_id = import_id.to_owned();
        match self.clone() {
            Self::Students { school } => {
                let asked = TakeBackImportRequest { school, import_id };
                desk.enrollments().take_back_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
            Self::Awards { school, list } => {
                let asked = TakeBackAwardImportRequest { school, list, import_id };
                desk.awards().take_back_award_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
            Self::Schools => {
                let asked = TakeBackSchoolImportRequest { import_id };
                desk.directory_files().take_back_school_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
            Self::Accounts => {
                let asked = TakeBackAccountImportRequest { import_id };
                desk.directory_files().take_back_account_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
        }
    }

    async fn list(&self, desk: &Desk, query: &ArchiveQuery) -> Result<(Vec<ImportSummary>, String), Status> {
        let state = State::from_str_name(&query.state).unwrap_or_default().into();
        let preview = match query.act.as_str() {
            "preview" => Some(true),
            "write" => Some(false),
            _ => None,
        };
        let (page_size, page_token, query) = (IMPORTS_SHOWN, query.page.clone(), query.query.clone());
        Ok(match self.clone() {
            Self::Students { school } => {
                let asked = ListImportsRequest { school, query, state, preview, page_size, page_token };
                let answer = desk.enrollments().list_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
            Self::Awards { school, list } => {
                let asked = ListAwardImportsRequest { school, list, query, state, preview, page_size, page_token };
                let answer = desk.awards().list_award_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
            Self::Schools => {
                let asked = ListSchoolImportsRequest { query, state, preview, page_size, page_token };
                let answer = desk.directory_files().list_school_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
            Self::Accounts => {
                let asked = ListAccountImportsRequest { query, state, preview, page_size, page_token };
                let answer = desk.directory_files().list_account_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
        })
    }
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
