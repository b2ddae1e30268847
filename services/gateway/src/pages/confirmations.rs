//! 待确认账号: accounts that one person opened and a second one confirms.

use std::sync::Arc;

use askama::Template;
use axum::{Form as Sent, Router, response::Response, routing::get};
use xuezhu_proto::enrollment::{Account, ConfirmAccountsRequest, ListUnconfirmedAccountsRequest};

use super::{Desk, PageError, pickers, render, session};
use crate::{
    Gateway,
    parts::{Field, Form, field::Choice},
};

/// Where it is.
const PAGE: &str = "/accounts/unconfirmed";
/// Accounts that are shown at once.
const ROWS: i32 = 200;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route(PAGE, get(page).post(confirm))
}

#[derive(Template)]
#[template(path = "unconfirmed.html")]
struct UnconfirmedPage {
    desk: Desk,
    /// Those whom whoever looks can confirm; none where there are none.
    confirm: Option<Form>,
    /// Those that they opened themselves.
    own: Vec<String>,
    /// Whether there are more.
    more: bool,
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    let asked = ListUnconfirmedAccountsRequest { page_size: ROWS, page_token: String::new() };
    let answer = desk.directory().list_unconfirmed_accounts(desk.request(asked)).await?.into_inner();
    let more = !answer.next_page_token.is_empty();
    let (own, others): (Vec<Account>, Vec<Account>) = answer.accounts.into_iter().partition(|account| desk.user.is_account(&account.unconfirmed_of));
    let confirm = (!others.is_empty()).then(|| {
        let choices = others.iter().map(|account| Choice::of(&account.account, format!("{}，由{}开设或重置", called(account), account.unconfirmed_of)));
        Form::of::<ConfirmAccountsRequest>(&desk, "confirm", PAGE)
            .with(Field::ticks("accounts", choices.collect::<Vec<_>>()).hint("逐个核对：确有其人、岗位和单位无误，再勾选"))
            .button("确认勾选的账号")
    });
    let own = own.iter().map(called).collect();
    Ok(render(&UnconfirmedPage { desk, confirm, own, more }))
}

/// Whose account it is.
fn called(account: &Account) -> String {
    let organisation = match account.organisation.len() {
        0 => "全部范围".to_owned(),
        6 => pickers::region_name(&account.organisation),
        _ if account.school_name.is_empty() => account.organisation.clone(),
        _ => format!("{} {}", account.school_name, account.organisation),
    };
    format!("{} {}，{}，{organisation}", account.account, account.display_name, session::role_name(account.role().as_str_name()))
}

async fn confirm(desk: Desk, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let desk = desk.at(PAGE);
    let (mut request_id, mut accounts) = (String::new(), Vec::new());
    for (name, value) in pairs {
        match name.as_str() {
            "request_id" => request_id = value,
            "accounts" => accounts.push(value),
            _ => {}
        }
    }
    let confirmed = desk.directory().confirm_accounts(desk.change(&request_id, ConfirmAccountsRequest { accounts })).await?.into_inner().accounts;
    Ok(desk.done(format!("已确认{}个账号，可以登录了。", confirmed.len()), PAGE))
}
