//! The import: preview, problems by cause, the marked workbook.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    common::{ImportReport, Problem, Upload},
    enrollment::{CommitImportRequest, GetImportRequest, GetRegistryRequest, ImportEnrollmentsRequest, import_enrollments_request::Part},
};

use super::{Desk, PageError, render};
use crate::Gateway;

/// Bytes of a form with a file at most: the file, and what the form adds.
const FORM_BYTES: usize = 49 * 1024 * 1024;
/// Rows of a cause that a page shows.
const ROWS_SHOWN: usize = 30;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/import", get(page).post(upload))
        .route("/imports/{import}", get(report))
        .route("/imports/{import}/commit", post(commit))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
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
pub fn by_cause(problems: &[Problem]) -> Vec<Kind> {
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
    report: ImportReport,
    problems: Vec<Kind>,
    warnings: Vec<Kind>,
    request_id: String,
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    // A page that shows nothing else is shown to whom the service knows.
    desk.directory().get_registry(desk.request(GetRegistryRequest {})).await?;
    Ok(render(&ImportPage { desk, error: String::new() }))
}

/// The file of a form.
pub async fn file(mut form: Multipart) -> Result<(Vec<u8>, BTreeMap<String, String>), Status> {
    let (mut bytes, mut fields) = (Vec::new(), BTreeMap::new());
    loop {
        let field = form.next_field().await.map_err(|_| Status::invalid_argument("上传中断或文件过大（上限48MB），请重试或分批上传"))?;
        let Some(field) = field else { return Ok((bytes, fields)) };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            bytes = field.bytes().await.map_err(|_| Status::invalid_argument("上传中断或文件过大（上限48MB），请重试或分批上传"))?.to_vec();
        } else {
            fields.insert(name, field.text().await.unwrap_or_default());
        }
    }
}

/// How a form wants its file taken.
pub fn head(fields: &BTreeMap<String, String>, school: String, list: String, preview: bool) -> Upload {
    let (include_hidden, blank_clears) = (fields.contains_key("include_hidden"), fields.contains_key("blank_clears"));
    Upload { school, preview, all_or_nothing: false, list, include_hidden, blank_clears }
}

async fn upload(desk: Desk, form: Multipart) -> Result<Response, PageError> {
    let sent = async {
        let _turn = desk.gateway.turn_of_form().await?;
        let (bytes, fields) = file(form).await?;
        let head = head(&fields, desk.user.org.clone(), String::new(), true);
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportEnrollmentsRequest { part: Some(part) });
        desk.enrollments().import_enrollments(desk.request(futures_util::stream::iter(pieces))).await
    };
    match sent.await {
        Ok(answer) => {
            let report = answer.into_inner().report.unwrap_or_default();
            Ok(Redirect::to(&format!("/imports/{}", report.import_id)).into_response())
        }
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => Ok(render(&ImportPage { desk, error: status.message().to_owned() })),
    }
}

async fn report(desk: Desk, Path(import_id): Path<String>) -> Result<Response, PageError> {
    let asked = GetImportRequest { school: desk.user.org.clone(), import_id };
    let report = desk.enrollments().get_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default();
    let (problems, warnings) = (by_cause(&report.problems), by_cause(&report.warnings));
    let request_id = desk.new_request_id();
    Ok(render(&ReportPage { desk, report, problems, warnings, request_id }))
}

#[derive(Deserialize)]
struct CommitForm {
    request_id: String,
    #[serde(default)]
    all_or_nothing: bool,
}

async fn commit(desk: Desk, Path(import_id): Path<String>, Form(form): Form<CommitForm>) -> Result<Response, PageError> {
    let asked = CommitImportRequest { school: desk.user.org.clone(), import_id, all_or_nothing: form.all_or_nothing };
    let report = desk.enrollments().commit_import(desk.change(&form.request_id, asked)).await?.into_inner().report.unwrap_or_default();
    Ok(Redirect::to(&format!("/imports/{}", report.import_id)).into_response())
}
