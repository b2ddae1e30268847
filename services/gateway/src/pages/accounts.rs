//! Schools and accounts, for administrators.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::enrollment::{
    Account, CreateAccountRequest, CreateSchoolRequest, DisableAccountRequest, EnableAccountRequest, ListAccountsRequest, ListSchoolsRequest, Major,
    ResetPasswordRequest, School, account, school,
};

use super::{Desk, PageError, render, session};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/accounts", get(page).post(create_account))
        .route("/accounts/reset", post(reset))
        .route("/accounts/disable", post(disable))
        .route("/accounts/enable", post(enable))
        .route("/schools", post(create_school))
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    desk: Desk,
    schools: Vec<School>,
    accounts: Vec<Account>,
    request_id: String,
    /// Account and one-time password that was just made.
    made: Option<(String, String)>,
    error: String,
}

impl AccountsPage {
    fn role(account: &Account) -> &'static str {
        session::role_name(account.role().as_str_name())
    }
}

async fn view(desk: Desk, made: Option<(String, String)>, error: String) -> Result<Response, PageError> {
    let schools = desk.directory().list_schools(desk.request(ListSchoolsRequest { page_size: 1000, ..Default::default() })).await?.into_inner().schools;
    let accounts = desk.directory().list_accounts(desk.request(ListAccountsRequest { page_size: 1000, ..Default::default() })).await?.into_inner().accounts;
    let request_id = desk.new_request_id();
    Ok(render(&AccountsPage { desk, schools, accounts, request_id, made, error }))
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    view(desk, None, String::new()).await
}

#[derive(Deserialize)]
struct AccountForm {
    request_id: String,
    account: String,
    display_name: String,
    role: String,
    organisation: String,
}

async fn create_account(desk: Desk, Form(form): Form<AccountForm>) -> Result<Response, PageError> {
    let asked = CreateAccountRequest {
        account: form.account.clone(),
        display_name: form.display_name,
        role: account::Role::from_str_name(&form.role).unwrap_or_default().into(),
        organisation: form.organisation,
    };
    match desk.directory().create_account(desk.change(&form.request_id, asked)).await {
        Ok(answer) => view(desk, Some((form.account, answer.into_inner().one_time_password)), String::new()).await,
        Err(status) => view(desk, None, status.message().to_owned()).await,
    }
}

/// Asks for something about one account.
#[derive(Deserialize)]
struct OneAccountForm {
    request_id: String,
    account: String,
}

async fn reset(desk: Desk, Form(form): Form<OneAccountForm>) -> Result<Response, PageError> {
    let asked = ResetPasswordRequest { account: form.account.clone() };
    match desk.directory().reset_password(desk.change(&format!("{}-{}", form.request_id, form.account), asked)).await {
        Ok(answer) => view(desk, Some((form.account, answer.into_inner().one_time_password)), String::new()).await,
        Err(status) => view(desk, None, status.message().to_owned()).await,
    }
}

async fn disable(desk: Desk, Form(form): Form<OneAccountForm>) -> Result<Response, PageError> {
    let asked = DisableAccountRequest { account: form.account.clone() };
    let done = desk.directory().disable_account(desk.change(&format!("{}-{}", form.request_id, form.account), asked)).await;
    view(desk, None, done.err().map(|status| status.message().to_owned()).unwrap_or_default()).await
}

async fn enable(desk: Desk, Form(form): Form<OneAccountForm>) -> Result<Response, PageError> {
    let asked = EnableAccountRequest { account: form.account.clone() };
    let done = desk.directory().enable_account(desk.change(&format!("{}-{}", form.request_id, form.account), asked)).await;
    view(desk, None, done.err().map(|status| status.message().to_owned()).unwrap_or_default()).await
}

#[derive(Deserialize)]
struct SchoolForm {
    request_id: String,
    code: String,
    name: String,
    region: String,
    kind: String,
    authority: String,
    majors: String,
}

async fn create_school(desk: Desk, Form(form): Form<SchoolForm>) -> Result<Response, PageError> {
    let majors = form
        .majors
        .split(|c: char| !c.is_ascii_digit() && c != '-')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (catalogue, code) = part.split_once('-').unwrap_or(("2010", part));
            Major { catalogue: catalogue.to_owned(), code: code.to_owned(), name: String::new() }
        })
        .collect();
    let asked = CreateSchoolRequest {
        code: form.code.trim().to_owned(),
        name: form.name,
        region: form.region.trim().to_owned(),
        kind: school::Kind::from_str_name(&form.kind).unwrap_or_default().into(),
        authority: form.authority.trim().to_owned(),
        majors,
    };
    match desk.directory().create_school(desk.change(&form.request_id, asked)).await {
        Ok(_) => view(desk, None, String::new()).await,
        Err(status) => view(desk, None, status.message().to_owned()).await,
    }
}
