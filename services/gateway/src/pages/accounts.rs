//! Accounts, for administrators.

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
    Account, CreateAccountRequest, DisableAccountRequest, EnableAccountRequest, ListAccountsRequest, ResetPasswordRequest, account,
};
use xuezhu_service::Role;

use super::{
    Desk, PageError,
    pickers::{self, Choice},
    render, session,
};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/accounts", get(page).post(create_account))
        .route("/accounts/reset", post(reset))
        .route("/accounts/disable", post(disable))
        .route("/accounts/enable", post(enable))
        .route("/accounts/search", post(search))
}

/// Accounts a page.
const ROWS: i32 = 50;
/// Schools that are offered as organisations.
const SCHOOLS: usize = 200;

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    desk: Desk,
    accounts: Vec<Account>,
    query: String,
    total: i32,
    previous: String,
    next: String,
    organisations: Vec<Choice>,
    request_id: String,
    /// Account and one-time password that was just made.
    made: Option<(String, String)>,
    done: String,
    error: String,
    /// What was filled in and not taken.
    account: AccountForm,
}

/// What is searched for: in no address, for names are people's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Search {
    q: String,
    page: String,
}

/// What came of an act, to be shown above the forms.
#[derive(Default)]
struct Told {
    made: Option<(String, String)>,
    done: String,
    error: String,
    account: AccountForm,
    search: Search,
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
    fn organisation(account: &Account) -> String {
        if account.organisation.len() == 6 { pickers::region_name(&account.organisation) } else { account.organisation.clone() }
    }

    /// What an account may be opened for.
    fn roles() -> [Role; Role::OF_ACCOUNTS.len()] {
        Role::OF_ACCOUNTS
    }

    fn role(account: &Account) -> &'static str {
        session::role_name(account.role().as_str_name())
    }
}

async fn view(desk: Desk, told: Told) -> Result<Response, PageError> {
    let Told { made, done, error, account, search } = told;
    let asked = ListAccountsRequest { query: search.q.clone(), page_size: ROWS, page_token: search.page, ..Default::default() };
    let answer = desk.directory().list_accounts(desk.request(asked)).await?.into_inner();
    let mut organisations = pickers::schools(&desk, "", SCHOOLS).await?;
    organisations.extend(pickers::regions(&desk.user.org, desk.civil_day()));
    let request_id = desk.new_request_id();
    Ok(render(&AccountsPage {
        desk,
        accounts: answer.accounts,
        query: search.q,
        total: answer.total_size,
        previous: answer.previous_page_token,
        next: answer.next_page_token,
        organisations,
        request_id,
        made,
        done,
        error,
        account,
    }))
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    view(desk, Told::default()).await
}

async fn search(desk: Desk, Form(search): Form<Search>) -> Result<Response, PageError> {
    view(desk, Told { search, ..Told::default() }).await
}

#[derive(Default, Deserialize)]
struct AccountForm {
    request_id: String,
    account: String,
    display_name: String,
    role: String,
    organisation: String,
}

/// The organisation that somebody means: of a school's people a school, else a region.
async fn organisation(desk: &Desk, role: account::Role, typed: &str) -> Result<Result<String, String>, Status> {
    match role {
        _ if typed.trim().is_empty() => Ok(Ok(String::new())),
        _ if Role::parse(role.as_str_name()).is_some_and(Role::is_of_school) => pickers::school(desk, typed).await,
        _ => Ok(pickers::region(typed, desk.civil_day())),
    }
}

async fn create_account(desk: Desk, Form(form): Form<AccountForm>) -> Result<Response, PageError> {
    let role = account::Role::from_str_name(&form.role).unwrap_or_default();
    let organisation = match organisation(&desk, role, &form.organisation).await? {
        Ok(organisation) => organisation,
        Err(why) => return view(desk, Told { error: format!("所属：{why}"), account: form, ..Told::default() }).await,
    };
    let asked = CreateAccountRequest { account: form.account.clone(), display_name: form.display_name.clone(), role: role.into(), organisation };
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
