//! Schools and accounts, for administrators.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
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
    done: String,
    error: String,
    /// What was filled in and not taken.
    account: AccountForm,
    school: SchoolForm,
}

/// What came of an act, to be shown above the forms.
#[derive(Default)]
struct Told {
    made: Option<(String, String)>,
    done: String,
    error: String,
    account: AccountForm,
    school: SchoolForm,
}

impl Told {
    fn of(done: Result<String, Status>) -> Self {
        match done {
            Ok(done) => Self { done, ..Self::default() },
            Err(status) => Self { error: super::in_chinese(status.message()), ..Self::default() },
        }
    }
}

impl AccountsPage {
    fn role(account: &Account) -> &'static str {
        session::role_name(account.role().as_str_name())
    }
}

async fn view(desk: Desk, told: Told) -> Result<Response, PageError> {
    let schools = desk.directory().list_schools(desk.request(ListSchoolsRequest { page_size: 1000, ..Default::default() })).await?.into_inner().schools;
    let accounts = desk.directory().list_accounts(desk.request(ListAccountsRequest { page_size: 1000, ..Default::default() })).await?.into_inner().accounts;
    let request_id = desk.new_request_id();
    let Told { made, done, error, account, school } = told;
    Ok(render(&AccountsPage { desk, schools, accounts, request_id, made, done, error, account, school }))
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    view(desk, Told::default()).await
}

#[derive(Default, Deserialize)]
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
        display_name: form.display_name.clone(),
        role: account::Role::from_str_name(&form.role).unwrap_or_default().into(),
        organisation: form.organisation.clone(),
    };
    match desk.directory().create_account(desk.change(&form.request_id, asked)).await {
        Ok(answer) => view(desk, Told { made: Some((form.account, answer.into_inner().one_time_password)), ..Told::default() }).await,
        Err(status) => view(desk, Told { account: form, ..Told::of(Err(status)) }).await,
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
        Ok(answer) => view(desk, Told { made: Some((form.account, answer.into_inner().one_time_password)), ..Told::default() }).await,
        Err(status) => view(desk, Told::of(Err(status))).await,
    }
}

async fn disable(desk: Desk, Form(form): Form<OneAccountForm>) -> Result<Response, PageError> {
    let asked = DisableAccountRequest { account: form.account.clone() };
    let done = desk.directory().disable_account(desk.change(&format!("{}-{}", form.request_id, form.account), asked)).await;
    view(desk, Told::of(done.map(|_| format!("账号{}已停用，其登录已全部失效。", form.account)))).await
}

async fn enable(desk: Desk, Form(form): Form<OneAccountForm>) -> Result<Response, PageError> {
    let asked = EnableAccountRequest { account: form.account.clone() };
    let done = desk.directory().enable_account(desk.change(&format!("{}-{}", form.request_id, form.account), asked)).await;
    view(desk, Told::of(done.map(|_| format!("账号{}已启用，可用原密码登录。", form.account)))).await
}

#[derive(Default, Deserialize)]
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
            Major { catalogue: catalogue.to_owned(), code: code.to_owned(), ..Major::default() }
        })
        .collect();
    let asked = CreateSchoolRequest {
        code: form.code.trim().to_owned(),
        name: form.name.clone(),
        region: form.region.trim().to_owned(),
        kind: school::Kind::from_str_name(&form.kind).unwrap_or_default().into(),
        authority: form.authority.trim().to_owned(),
        telephone: String::new(),
        majors,
    };
    match desk.directory().create_school(desk.change(&form.request_id, asked)).await {
        Ok(_) => view(desk, Told::of(Ok(format!("学校{}（{}）已登记。", form.name, form.code)))).await,
        Err(status) => view(desk, Told { school: form, ..Told::of(Err(status)) }).await,
    }
}
