//! Accounts, for administrators.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::enrollment::{
    Account, CreateAccountRequest, DisableAccountRequest, EnableAccountRequest, ImportAccountsRequest, ListAccountsRequest, ResetPasswordRequest,
    ResetSecondFactorRequest, account,
};
use xuezhu_service::{
    Role,
    refusal::{Error, Refusal},
};

use super::{Desk, PageError, imports, pickers, render, session};
use crate::{
    Gateway,
    parts::{Cell, Field, Form, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/accounts", get(page).post(create))
        .route("/accounts/reset", post(reset))
        .route("/accounts/resetSecondFactor", post(reset_factor))
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
    /// Account and one-time password that was just made.
    made: Option<(String, String)>,
    find: Form,
    accounts: Table,
    create: Form,
    send: Form,
}

/// What is searched for: in no address, for names are people's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Search {
    q: String,
    page: String,
    at: i64,
}

async fn view(desk: Desk, search: Search, made: Option<(String, String)>) -> Result<Response, PageError> {
    let asked = ListAccountsRequest { query: search.q.clone(), page_size: ROWS, page_token: search.page, ..Default::default() };
    let desk = desk.at("/accounts");
    let answer = desk.directory().list_accounts(desk.request(asked)).await?.into_inner();
    let way = Way::Posted { action: "/accounts/search".into(), fields: vec![("q".into(), search.q.clone())] };
    let (previous, next) = (&answer.previous_page_token, &answer.next_page_token);
    let place = Place::of(answer.total_size, "个", search.at, ROWS).ways(&way, (!previous.is_empty()).then_some(previous), next);
    let accounts = Table::of("账号")
        .columns(["账号", "姓名", "角色", "所属", "状态"])
        .acts()
        .rows(answer.accounts.iter().map(|account| row(&desk, account)))
        .empty(format!("没有账号或姓名含“{}”的账号。", search.q))
        .empty_way("/accounts", "全部账号")
        .place(place);
    let find =
        Form::search(&desk, "find", "/accounts/search").with(Field::line("q").called("账号或姓名（写一部分即可）").limit(60).value(search.q)).button("查找");
    let create = creating(&desk).await?;
    let send = Form::of::<ImportAccountsRequest>(&desk, "send", "/accountImports").with(imports::workbook()).button("上传并预览");
    Ok(render(&AccountsPage { desk, made, find, accounts, create, send }))
}

fn row(desk: &Desk, account: &Account) -> Row {
    let organisation = match account.organisation.len() {
        0 => "全部范围".to_owned(),
        6 => pickers::region_name(&account.organisation),
        _ if account.school_name.is_empty() => account.organisation.clone(),
        _ => format!("{} {}", account.school_name, account.organisation),
    };
    let doubt = (!account.doubt.is_empty()).then(|| Cell::mark(Tone::Wait, "待核对").beside(&account.doubt));
    Row::of([
        Cell::from(&account.account),
        Cell::from(&account.display_name),
        Cell::from(session::role_name(account.role().as_str_name())),
        Cell::from(organisation).maybe(doubt),
        state(account),
        acts(desk, account),
    ])
}

/// Whether it can be used, and how.
fn state(account: &Account) -> Cell {
    let state = if account.disabled { Cell::mark(Tone::Plain, "已停用") } else { Cell::mark(Tone::Good, "在用") };
    let unconfirmed = (!account.unconfirmed_of.is_empty())
        .then(|| Cell::mark(Tone::Wait, "待确认").beside(format!("由{}开设或重置，须由另一人确认", account.unconfirmed_of)));
    state.maybe(unconfirmed).maybe(account.second_factor.then(|| Cell::mark(Tone::Plain, "动态码")))
}

/// What can be done with an account: nobody closes their own.
fn acts(desk: &Desk, account: &Account) -> Cell {
    let name = &account.account;
    let reset = Form::of::<ResetPasswordRequest>(desk, format!("reset-{name}"), "/accounts/reset").inline().hidden("account", name);
    let reset = reset.plain("重置密码", "").asks(format!("重置账号{name}的密码：原密码和各设备上的登录立即失效，新的一次性密码只显示一次。"));
    let other = if desk.user.is_account(name) {
        None
    } else if account.disabled {
        let form = Form::of::<EnableAccountRequest>(desk, format!("enable-{name}"), "/accounts/enable");
        Some(form.inline().hidden("account", name).plain("启用", ""))
    } else {
        let form = Form::of::<DisableAccountRequest>(desk, format!("disable-{name}"), "/accounts/disable");
        Some(form.inline().hidden("account", name).danger("停用", "").asks(format!("停用账号{name}：各设备上的登录立即失效。")))
    };
    let factor = (account.second_factor && !desk.user.is_account(name)).then(|| {
        let form = Form::of::<ResetSecondFactorRequest>(desk, format!("factor-{name}"), "/accounts/resetSecondFactor").inline().hidden("account", name);
        form.plain("解除动态码", "").asks(format!("解除账号{name}的动态码：只在本人手机和恢复码都丢失时办理；各设备上的登录立即失效，下次登录后须重新设置。"))
    });
    Cell::act(reset).maybe(factor.map(Cell::act)).maybe(other.map(Cell::act))
}

async fn creating(desk: &Desk) -> Result<Form, Status> {
    let mut organisations = pickers::schools(desk, "", SCHOOLS).await?;
    organisations.extend(pickers::regions(&desk.user.org, desk.civil_day()));
    let roles = Role::OF_ACCOUNTS.map(|role| Choice::of(role.as_str(), role.name()));
    let organisation = Field::picked("organisation", organisations.into_iter().map(|organisation| organisation.filled()));
    Ok(Form::of::<CreateAccountRequest>(desk, "create", "/accounts")
        .with(Field::line("account").required().hint("小写字母、数字"))
        .with(Field::line("display_name").required())
        .with(Field::choice("role", roles))
        .with(organisation.hint("学校或行政区划，写名称或代码；全部范围的不填"))
        .button("开账号"))
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    view(desk, Search::default(), None).await
}

async fn search(desk: Desk, Sent(search): Sent<Search>) -> Result<Response, PageError> {
    view(desk, search, None).await
}

#[derive(Default, Deserialize)]
struct CreateForm {
    request_id: String,
    account: String,
    display_name: String,
    role: String,
    organisation: String,
}

/// The organisation that somebody means: of a school's people a school, else a region.
async fn organisation(desk: &Desk, role: account::Role, typed: &str) -> Result<String, Status> {
    let named = match role {
        _ if typed.trim().is_empty() => Ok(String::new()),
        _ if Role::parse(role.as_str_name()).is_some_and(Role::is_of_school) => pickers::school(desk, typed).await?,
        _ => pickers::region(typed, desk.civil_day()),
    };
    named.map_err(|why| Error::from(Refusal::field("organisation", why)).into())
}

async fn create(desk: Desk, Sent(sent): Sent<CreateForm>) -> Result<Response, PageError> {
    let CreateForm { request_id, account, display_name, role, organisation: typed } = sent;
    let role = account::Role::from_str_name(&role).unwrap_or_default();
    let organisation = organisation(&desk, role, &typed).await?;
    let asked = CreateAccountRequest { account: account.clone(), display_name, role: role.into(), organisation };
    let password = desk.directory().create_account(desk.change(&request_id, asked)).await?.into_inner().one_time_password;
    view(desk, Search::default(), Some((account, password))).await
}

/// Asks for something about one account.
#[derive(Deserialize)]
struct OneForm {
    request_id: String,
    account: String,
}

async fn reset(desk: Desk, Sent(OneForm { request_id, account }): Sent<OneForm>) -> Result<Response, PageError> {
    let asked = ResetPasswordRequest { account: account.clone() };
    let password = desk.directory().reset_password(desk.change(&request_id, asked)).await?.into_inner().one_time_password;
    view(desk, Search::default(), Some((account, password))).await
}

async fn reset_factor(desk: Desk, Sent(OneForm { request_id, account }): Sent<OneForm>) -> Result<Response, PageError> {
    desk.directory().reset_second_factor(desk.change(&request_id, ResetSecondFactorRequest { account: account.clone() })).await?;
    Ok(desk.done(format!("账号{account}的动态码已解除，其登录已全部失效。"), "/accounts"))
}

async fn disable(desk: Desk, Sent(OneForm { request_id, account }): Sent<OneForm>) -> Result<Response, PageError> {
    desk.directory().disable_account(desk.change(&request_id, DisableAccountRequest { account: account.clone() })).await?;
    Ok(desk.done(format!("账号{account}已停用，其登录已全部失效。"), "/accounts"))
}

async fn enable(desk: Desk, Sent(OneForm { request_id, account }): Sent<OneForm>) -> Result<Response, PageError> {
    desk.directory().enable_account(desk.change(&request_id, EnableAccountRequest { account: account.clone() })).await?;
    Ok(desk.done(format!("账号{account}已启用，可用原密码登录。"), "/accounts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_can_be_given() {
        let all = (1..=20).filter_map(|number| account::Role::try_from(number).ok());
        for role in all {
            assert!(
                Role::OF_ACCOUNTS.iter().any(|known| known.as_str() == role.as_str_name()) && !session::role_name(role.as_str_name()).is_empty(),
                "{role:?}"
            );
        }
    }
}
