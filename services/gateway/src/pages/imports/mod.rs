//! Files that people send: sent, previewed, written, followed while that lasts, looked up again, taken back. The same for students, award
//! lists, schools and accounts; which is meant is a [`Target`].

mod accounts;
mod archive;
mod awards;
mod groups;
mod hardship;
mod report;
mod schools;
mod students;
mod target;

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Form as Filled, Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    common::Upload,
    enrollment::{GetRegistryRequest, ImportEnrollmentsRequest},
};

use self::{
    accounts::Accounts,
    awards::Awards,
    groups::Groups,
    hardship::Levels,
    schools::Schools,
    students::Students,
    target::{Named, Target},
};
use super::{Desk, PageError, in_chinese, render};
use crate::{
    Gateway,
    parts::{Field, Form, Note},
};

/// Bytes of a form with a file at most: the file, and what the form adds.
const FORM_BYTES: usize = 49 * 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/import", get(form).post(send_students))
        .route("/schools/{school}/lists/{list}/upload", post(send_awards))
        .route("/schoolImports", post(send_to_archive::<Schools>))
        .route("/accountImports", post(send_to_archive::<Accounts>))
        .route("/groupImports", post(send_to_archive::<Groups>))
        .route("/schools/{school}/hardshipImports", post(send_to_archive::<Levels>))
        .merge(kept::<Students>("/imports"))
        .merge(kept::<Awards>("/schools/{school}/lists/{list}/imports"))
        .merge(kept::<Schools>("/schoolImports"))
        .merge(kept::<Accounts>("/accountImports"))
        .merge(kept::<Groups>("/groupImports"))
        .merge(kept::<Levels>("/schools/{school}/hardshipImports"))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What was sent of a kind.
fn kept<T: Target>(imports: &str) -> Router<Arc<Gateway>> {
    Router::new()
        .route(imports, get(archive::page::<T>))
        .route(&format!("{imports}/{{import}}"), get(report::page::<T>))
        .route(&format!("{imports}/{{import}}/commit"), post(commit::<T>))
        .route(&format!("{imports}/{{import}}/takeBack"), post(take_back::<T>))
}

#[derive(Template)]
#[template(path = "import.html")]
struct FormPage {
    desk: Desk,
    /// Why a file that was sent just now was not taken.
    wrong: Option<Note>,
    /// For who sends students.
    send: Option<Form>,
}

/// The field of a workbook.
pub fn workbook() -> Field {
    Field::file("file", ".xlsx,.xls,.csv").called("工作簿（.xlsx、.xls、.csv，最大48MB）").wide()
}

fn form_page(desk: Desk, wrong: &str) -> Response {
    let send = desk.user.is_clerk().then(|| {
        Form::of::<ImportEnrollmentsRequest>(&desk, "send", "/import")
            .with(workbook())
            .with(Field::tick("include_hidden", "包含隐藏的工作表和行"))
            .with(Field::tick("blank_clears", "空白单元格清除已存内容"))
            .button("上传并预览")
    });
    render(&FormPage { wrong: Note::wrong(wrong), send, desk })
}

async fn form(desk: Desk) -> Result<Response, PageError> {
    // A page that shows nothing else is shown to whom the service knows.
    desk.directory().get_registry(desk.request(GetRegistryRequest {})).await?;
    Ok(form_page(desk, ""))
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
async fn send<T: Target>(desk: &Desk, target: &T, form: Multipart) -> Result<String, Status> {
    let _turn = desk.turn_of_form().await?;
    let Sent { bytes, name, fields } = sent(form).await?;
    let head = Upload {
        preview: true,
        include_hidden: fields.contains_key("include_hidden"),
        blank_clears: fields.contains_key("blank_clears"),
        file_name: name,
        wait: Some(false),
        ..Upload::default()
    };
    let request_id = fields.get("request_id").cloned().unwrap_or_else(|| desk.new_request_id());
    let report = target.send(desk, &request_id, head, bytes).await?;
    Ok(format!("{}/{}", target.imports(), report.import_id))
}

async fn send_students(desk: Desk, form: Multipart) -> Result<Response, PageError> {
    match send(&desk, &Students::of(&desk, &Named::new()), form).await {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => Ok(form_page(desk, &in_chinese(status.message()))),
    }
}

async fn send_awards(desk: Desk, Path((school, list)): Path<(String, String)>, form: Multipart) -> Result<Response, PageError> {
    let target = Awards::of(&desk, &Named::from([("school".into(), school.clone()), ("list".into(), list.clone())]));
    match send(&desk, &target, form).await {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => super::lists::refused(desk.at(target.records()), school, list, status.message().to_owned()).await,
    }
}

/// Sends a file whose imports have a page of their own; where it is refused, that is told above those of before.
async fn send_to_archive<T: Target>(desk: Desk, Path(named): Path<Named>, form: Multipart) -> Result<Response, PageError> {
    let target = T::of(&desk, &named);
    match send(&desk, &target, form).await {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => archive::view(desk, target, archive::ArchiveQuery::default(), &in_chinese(status.message())).await,
    }
}

#[derive(Deserialize)]
struct ActForm {
    request_id: String,
    #[serde(default)]
    all_or_nothing: bool,
}

/// Where an act on an import leads: its page.
fn page_of<T: Target>(target: &T, import: &str) -> Response {
    Redirect::to(&format!("{}/{import}", target.imports())).into_response()
}

async fn commit<T: Target>(desk: Desk, Path(named): Path<Named>, Filled(filled): Filled<ActForm>) -> Result<Response, PageError> {
    let (target, import) = (T::of(&desk, &named), named.get("import").map_or("", String::as_str));
    let begun = target.commit(&desk, &filled.request_id, import, filled.all_or_nothing).await?;
    Ok(page_of(&target, &begun.import_id))
}

async fn take_back<T: Target>(desk: Desk, Path(named): Path<Named>, Filled(filled): Filled<ActForm>) -> Result<Response, PageError> {
    let (target, import) = (T::of(&desk, &named), named.get("import").map_or("", String::as_str));
    target.take_back(&desk, &filled.request_id, import).await?;
    Ok(page_of(&target, import))
}
