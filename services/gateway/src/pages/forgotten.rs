//! What enrollment forgot: old beside new, and the department's decision.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{Path, Query},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::aid::{DecideForgottenRecordRequest, ForgottenRecord, ListForgottenRecordsRequest, forgotten_record};

use super::{Desk, PageError, render};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Records on a page.
const ROWS: i32 = 50;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/forgotten", get(page)).route("/forgotten/{forgotten}/decide", post(decide))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    settled: bool,
    page: String,
    at: i64,
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct ForgottenPage {
    desk: Desk,
    narrow: Form,
    records: Vec<Record>,
    place: Place,
}

/// A record as it is shown.
struct Record {
    of: ForgottenRecord,
    kind: Cell,
    state: Cell,
    facts: Table,
    decide: Option<Form>,
}

impl Record {
    fn of(desk: &Desk, record: ForgottenRecord) -> Self {
        let kind = match record.kind() {
            forgotten_record::Kind::School => "学校信息",
            forgotten_record::Kind::Person => "身份信息",
            forgotten_record::Kind::Enrollment => "学籍",
            forgotten_record::Kind::Unspecified => "",
        };
        let (tone, state) = match record.state() {
            forgotten_record::State::Open => (Tone::Bad, "待处理"),
            forgotten_record::State::SaidAgain => (Tone::Good, "已重新登记"),
            forgotten_record::State::Decided => (Tone::Good, "已核定"),
            forgotten_record::State::Unspecified => (Tone::Plain, ""),
        };
        let is_open = record.state() == forgotten_record::State::Open;
        let fact = |fact: &forgotten_record::Compared| {
            let now = match fact.now.as_str() {
                now if now == fact.before => Cell::text(now),
                "" => Cell::mark(Tone::Bad, "没有"),
                now => Cell::mark(Tone::Bad, now),
            };
            Row::of([Cell::from(&fact.what), Cell::from(&fact.before), now])
        };
        Self {
            kind: Cell::mark(Tone::Plain, kind),
            state: Cell::mark(tone, state),
            facts: Table::of(format!("{}：原先与现在", record.name)).columns(["内容", "原先报送", "学籍系统现在"]).rows(record.facts.iter().map(fact)),
            decide: (is_open && desk.user.decides_aid_for(&record.authority)).then(|| deciding(desk, &record)),
            of: record,
        }
    }
}

fn deciding(desk: &Desk, record: &ForgottenRecord) -> Form {
    let action = format!("/forgotten/{}/decide", record.forgotten);
    Form::of::<DecideForgottenRecordRequest>(desk, format!("decide-{}", record.forgotten), action)
        .row()
        .with(Field::line("reason").called("以现在的内容为准，理由").required())
        .button("核定")
        .asks(format!("{}：以学籍系统现在的内容为准，原先报送的不再作数，核定后不能撤销。", record.name))
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    let PageQuery { settled, page, at } = query;
    let asked = ListForgottenRecordsRequest { school: String::new(), settled_too: settled, page_size: ROWS, page_token: page };
    let answer = desk.forgotten_records().list_forgotten_records(desk.request(asked)).await?.into_inner();
    let shown = if settled { "true" } else { "" };
    let narrow = Form::narrow(&desk, "narrow", "/forgotten")
        .with(Field::choice("settled", [Choice::of("false", "待处理的"), Choice::of("true", "待处理的和已了结的")]).called("看哪些").value(settled.to_string()))
        .button("查看");
    let way = Way::Link(Address::of("/forgotten").with("settled", shown));
    let place = Place::uncounted(answer.records.len(), "条", at).way_on(&way, &answer.next_page_token);
    let records: Vec<Record> = answer.records.into_iter().map(|record| Record::of(&desk, record)).collect();
    Ok(render(&ForgottenPage { desk, narrow, records, place }))
}

#[derive(Deserialize)]
struct DecideForm {
    request_id: String,
    reason: String,
}

async fn decide(desk: Desk, Path(forgotten): Path<String>, Sent(sent): Sent<DecideForm>) -> Result<Response, PageError> {
    let asked = DecideForgottenRecordRequest { forgotten, reason: sent.reason };
    desk.forgotten_records().decide_forgotten_record(desk.change(&sent.request_id, asked)).await?;
    Ok(desk.done("已核定，以学籍系统现在的内容为准。", "/forgotten"))
}
