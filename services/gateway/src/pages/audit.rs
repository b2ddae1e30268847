//! 审计: who did, read or tried what, and how the chain stands.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    aid,
    common::{AuditLine, AuditStanding, audit_line::Outcome},
    enrollment,
};
use xuezhu_service::{Reason, refusal};

use super::{Desk, PageError, dossiers::Keeper, render, session, show};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Note, Pairs, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Lines on a page.
const ROWS: i32 = 50;
/// Digits of a file's hash that are shown.
const HASH_DIGITS: usize = 12;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/audit", get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    keeper: String,
    from: String,
    to: String,
    account: String,
    school: String,
    outcome: String,
    reason: String,
    page: String,
    at: i64,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    desk: Desk,
    standing: Pairs,
    cut: Option<Note>,
    narrow: Form,
    lines: Table,
}

const OUTCOMES: [(Outcome, &str, Tone); 4] = [
    (Outcome::Done, "已办理", Tone::Good),
    (Outcome::Read, "已查看", Tone::Plain),
    (Outcome::Refused, "未准许", Tone::Bad),
    (Outcome::Entered, "已进入", Tone::Plain),
];

fn outcome(line: &AuditLine) -> Cell {
    let known = OUTCOMES.iter().find(|(outcome, ..)| *outcome == line.outcome());
    known.map_or_else(|| Cell::from(""), |(_, name, tone)| Cell::mark(*tone, *name))
}

/// Why it was refused, in Chinese, or what for it was read.
fn why(line: &AuditLine) -> String {
    let refused = Reason::from_str_name(&line.reason);
    refused.map_or_else(|| line.reason.clone(), |reason| refusal::chinese(reason).to_owned())
}

fn row(line: &AuditLine) -> Row {
    let role = session::role_name(&line.role);
    let who = if role.is_empty() || line.account == "-" { line.account.clone() } else { format!("{}（{role}）", line.account) };
    let place = if line.school.is_empty() { &line.organisation } else { &line.school };
    let hash: String = line.content_hash.chars().take(HASH_DIGITS).collect();
    let file = (!hash.is_empty()).then(|| format!("文件 {hash}"));
    Row::of([
        Cell::unbroken(show::time(&line.time)),
        Cell::from(who),
        Cell::from(&line.method_name),
        outcome(line).beside(why(line)),
        Cell::from(place),
        Cell::from(&line.resource).beside(file.unwrap_or_default()),
        Cell::from(&line.address),
        Cell::from(if line.position > 0 { line.position.to_string() } else { "待入链".to_owned() }),
    ])
}

fn standing(told: &AuditStanding) -> Pairs {
    let witnessed = if told.witnessed_position > 0 {
        format!("{} 核对到第{}条，一致", show::time(&told.witnessed_time), told.witnessed_position)
    } else {
        "尚未核对".to_owned()
    };
    Pairs::default().with("已入链", format!("{}条", told.position)).with("待入链", format!("{}条", told.waiting)).with("与另一系统互证", witnessed)
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    if !desk.user.is_auditor() {
        return Err(PageError::Refused(Status::permission_denied("审计记录只由审计员查看")));
    }
    let keeper = Keeper::of(&query.keeper).unwrap_or(Keeper::Enrollment);
    let (rows, next, told) = lines(&desk, keeper, &query).await?;
    let all = Choice::of("", "全部");
    let narrow = Form::narrow(&desk, "narrow", "/audit")
        .with(Field::choice("keeper", Keeper::ALL.map(|keeper| Choice::of(keeper.word(), keeper.name()))).called("哪个系统").value(keeper.word()))
        .with(Field::day("from").called("从").value(&query.from))
        .with(Field::day("to").called("到").value(&query.to))
        .with(Field::line("account").called("账号").limit(64).value(&query.account))
        .with(Field::line("school").called("学校代码").limit(10).value(&query.school))
        .with(
            Field::choice("outcome", std::iter::once(all).chain(OUTCOMES.map(|(outcome, name, _)| Choice::of(outcome.as_str_name(), name))))
                .called("结果")
                .value(&query.outcome),
        )
        .button("查看");
    let address = [("keeper", keeper.word()), ("from", &query.from), ("to", &query.to), ("account", &query.account), ("school", &query.school)];
    let address = address.into_iter().chain([("outcome", query.outcome.as_str()), ("reason", &query.reason)]);
    let way = Way::Link(address.filter(|(_, value)| !value.is_empty()).fold(Address::of("/audit"), |address, (name, value)| address.with(name, value)));
    let lines = Table::of("审计记录")
        .columns(["时间", "账号", "操作", "结果与原因", "学校或单位", "对象", "来源地址", "链上位置"])
        .rows(rows.iter().map(row))
        .empty("这段时间没有符合条件的记录：不填日期时，显示最近30天的。")
        .place(Place::uncounted(rows.len(), "条", query.at).way_on(&way, &next));
    let cut = told.cut.then(|| {
        Note::of(Tone::Bad, "另一服务留有见证的记录在本库中已经不在：审计记录被截断，或数据库恢复到了较早的备份。请运维人员运行 xuezhu admin verify 核查。")
    });
    Ok(render(&AuditPage { standing: standing(&told), cut, desk, narrow, lines }))
}

async fn lines(desk: &Desk, keeper: Keeper, query: &PageQuery) -> Result<(Vec<AuditLine>, String, AuditStanding), Status> {
    let asked = enrollment::ListAuditLinesRequest {
        from_day: query.from.clone(),
        to_day: query.to.clone(),
        account: query.account.trim().to_owned(),
        school: query.school.trim().to_owned(),
        outcome: Outcome::from_str_name(&query.outcome).unwrap_or_default().into(),
        reason: query.reason.trim().to_owned(),
        page_size: ROWS,
        page_token: query.page.clone(),
        ..Default::default()
    };
    Ok(match keeper {
        Keeper::Enrollment => {
            let mut audit = desk.enrollment_audit();
            let answer = audit.list_audit_lines(desk.request(asked)).await?.into_inner();
            let standing = audit.get_audit_standing(desk.request(enrollment::GetAuditStandingRequest {})).await?.into_inner();
            (answer.lines, answer.next_page_token, standing.standing.unwrap_or_default())
        }
        Keeper::Aid => {
            let enrollment::ListAuditLinesRequest { from_day, to_day, region, school, account, method, outcome, reason, page_size, page_token } = asked;
            let asked = aid::ListAuditLinesRequest { from_day, to_day, region, school, account, method, outcome, reason, page_size, page_token };
            let mut audit = desk.aid_audit();
            let answer = audit.list_audit_lines(desk.request(asked)).await?.into_inner();
            let standing = audit.get_audit_standing(desk.request(aid::GetAuditStandingRequest {})).await?.into_inner();
            (answer.lines, answer.next_page_token, standing.standing.unwrap_or_default())
        }
    })
}
