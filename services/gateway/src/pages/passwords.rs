//! One-time passwords of accounts that came by file: a page a person, shown once, to be printed.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::Path,
    http::{HeaderMap, header},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use xuezhu_proto::enrollment::{GetAccountImportRequest, MakePasswordsRequest, make_passwords_response::Password};

use super::{Desk, PageError, in_chinese, pickers, render, session};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/accountImports/{import}/passwords", get(page).post(make))
}

#[derive(Template)]
#[template(path = "passwords.html")]
struct PasswordsPage {
    desk: Desk,
    import: String,
    people: Vec<Password>,
    /// Whether this answers a form.
    asked: bool,
    /// Whether new ones were made for those who had one.
    again: bool,
    left: i32,
    told: i32,
    next: String,
    request_id: String,
    error: String,
    /// Where one logs in, as who asks for the pages does.
    address: String,
}

impl PasswordsPage {
    fn of(desk: Desk, import: String) -> Self {
        let request_id = desk.new_request_id();
        Self {
            desk,
            import,
            people: Vec::new(),
            asked: false,
            again: false,
            left: 0,
            told: 0,
            next: String::new(),
            request_id,
            error: String::new(),
            address: String::new(),
        }
    }

    fn role(person: &Password) -> &'static str {
        session::role_name(person.role().as_str_name())
    }

    fn organisation(person: &Password) -> String {
        match person.organisation.len() {
            0 => "全部范围".to_owned(),
            6 => pickers::region_name(&person.organisation),
            _ => format!("{}（{}）", person.organisation_name, person.organisation),
        }
    }
}

async fn page(desk: Desk, Path(import): Path<String>) -> Result<Response, PageError> {
    // Shown to whom the service shows the import.
    desk.directory_files().get_account_import(desk.request(GetAccountImportRequest { import_id: import.clone() })).await?;
    Ok(render(&PasswordsPage::of(desk, import)))
}

#[derive(Deserialize)]
struct MakeForm {
    request_id: String,
    #[serde(default)]
    again: bool,
    #[serde(default)]
    page: String,
}

async fn make(desk: Desk, Path(import): Path<String>, headers: HeaderMap, Form(form): Form<MakeForm>) -> Result<Response, PageError> {
    let asked = MakePasswordsRequest { import_id: import.clone(), again: form.again, page_token: form.page };
    let made = desk.directory_files().make_passwords(desk.change(&form.request_id, asked)).await;
    let address = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let page = PasswordsPage { address, ..PasswordsPage::of(desk, import) };
    match made.map(tonic::Response::into_inner) {
        Ok(made) => Ok(render(&PasswordsPage {
            people: made.passwords,
            asked: true,
            again: form.again,
            left: made.accounts_left,
            told: made.accounts_told,
            next: made.next_page_token,
            ..page
        })),
        Err(status) if status.code() == tonic::Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => Ok(render(&PasswordsPage { error: in_chinese(status.message()), ..page })),
    }
}
