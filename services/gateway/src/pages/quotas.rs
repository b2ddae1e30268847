//! 名额: how many may be let in, how many are and how many are left, of a region and its schools, and beside a list.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{Path, Query},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_domain::Term;
use xuezhu_proto::aid::{AwardList, ListQuotasRequest, ListSchemesRequest, Quota, RecountQuotasRequest};

use super::{Desk, PageError, lists, render};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Note, Row, Table, Tone, field::Choice},
};

/// Limits on a page: those of a large province's schools are read on.
const ROWS: i32 = 1000;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/quotas", get(page)).route("/schools/{school}/lists/{list}/recount", post(recount))
}

/// The limits under which a list lies.
pub struct OfList {
    pub note: Note,
    pub table: Table,
    /// To count anew what the shares are of.
    pub recount: Option<Form>,
}

/// The limits of a list, for its page.
pub async fn of_list(desk: &Desk, list: &AwardList) -> Result<Option<OfList>, PageError> {
    let asked = ListQuotasRequest {
        school: list.school.clone(),
        term: list.term.clone(),
        scheme: list.scheme_code.clone(),
        policy_version: list.policy_version,
        ..Default::default()
    };
    let quotas = desk.quotas().list_quotas(desk.request(asked)).await?.into_inner().quotas;
    if quotas.is_empty() {
        return Ok(None);
    }
    let full = quotas.iter().any(|quota| quota.left == 0);
    let text = if full {
        "名额已满：审核时超出的学生冻结为“超过名额”，有名额空出后重新审核即可；确需增加的，由主管部门在资助政策中调整。"
    } else {
        "审核时先按困难等级从重到轻、再按名单上显示的次序，名额以内的通过，超出的冻结为“超过名额”。"
    };
    let recounts = desk.user.decides_aid_for(&list.authority);
    let recount = recounts.then(|| {
        let at = format!("{}/recount", lists::path(list));
        Form::of::<RecountQuotasRequest>(desk, "recount", at)
            .hidden("term", &list.term)
            .hidden("scheme", &list.scheme_code)
            .hidden("policy_version", list.policy_version.to_string())
            .button("重新核算基数")
    });
    Ok(Some(OfList { note: Note::of(if full { Tone::Wait } else { Tone::Plain }, text), table: table(&quotas, false), recount }))
}

fn table(quotas: &[Quota], counted: bool) -> Table {
    let row = |quota: &Quota| {
        let grade = if quota.grade > 0 { format!("{}年级", quota.grade) } else { String::new() };
        let share = if quota.percent > 0 { format!("基数的{}%", quota.percent) } else { "核定人数".to_owned() };
        let tone = if quota.left > 0 { Tone::Good } else { Tone::Bad };
        Row::of([
            Cell::text(format!("{}{grade}", quota.place_name)),
            Cell::text(share).beside(quota.quota.as_str()),
            Cell::number(quota.base).beside(if quota.base_date.is_empty() { String::new() } else { format!("{}在校", quota.base_date) }),
            Cell::number(quota.limit),
            Cell::number(quota.taken),
            Cell::mark(tone, quota.left.to_string()),
            Cell::text(&*quota.counted_date),
        ])
    };
    let empty = if counted { "这个学期还没有用到名额：提交或审核有名额规定的名单以后才有。" } else { "没有名额规定。" };
    let table = Table::of("名额").columns(["范围", "规定"]).number("基数").number("名额").number("已用").columns(["尚余", "核算日期"]);
    table.rows(quotas.iter().map(row)).empty(empty)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    term: String,
    scheme: String,
}

#[derive(Template)]
#[template(path = "quotas.html")]
struct Page {
    desk: Desk,
    narrow: Form,
    table: Table,
}

async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let term = if asks.term.is_empty() { Term::of(desk.civil_day()).to_string() } else { asks.term };
    let scheme = if asks.scheme.is_empty() { "GRANT".to_owned() } else { asks.scheme };
    let (mut quotas, mut page_token) = (Vec::new(), String::new());
    loop {
        let asked = ListQuotasRequest { term: term.clone(), scheme: scheme.clone(), page_size: ROWS, page_token, ..Default::default() };
        let found = desk.quotas().list_quotas(desk.request(asked)).await?.into_inner();
        quotas.extend(found.quotas);
        page_token = found.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let schemes = desk.policies().list_schemes(desk.request(ListSchemesRequest {})).await?.into_inner().schemes;
    let schemes = schemes.iter().map(|scheme| Choice::of(&scheme.scheme_code, &scheme.scheme_name));
    let narrow = Form::narrow(&desk, "narrow", "/quotas")
        .with(Field::choice("term", lists::past_terms(&desk)).value(&term))
        .with(Field::choice("scheme", schemes).value(&scheme))
        .plain("查看", "");
    let table = table(&quotas, true);
    Ok(render(&Page { desk, narrow, table }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RecountForm {
    request_id: String,
    term: String,
    scheme: String,
    policy_version: i32,
}

async fn recount(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(sent): Sent<RecountForm>) -> Result<Response, PageError> {
    let back = Address::of(format!("/schools/{school}/lists/{list}"));
    let asked = RecountQuotasRequest { school, term: sent.term, scheme: sent.scheme, policy_version: sent.policy_version };
    let quotas = desk.quotas().recount_quotas(desk.change(&sent.request_id, asked)).await?.into_inner().quotas;
    let told: Vec<String> = quotas.iter().map(|quota| format!("{}名额{}人，尚余{}人", quota.place_name, quota.limit, quota.left)).collect();
    Ok(desk.done(format!("已重新核算：{}。", told.join("；")), back))
}
