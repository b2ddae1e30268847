//! The overview: one main list a scheme and term, supplementary ones after it.

use askama::Template;
use axum::{
    Form as Sent,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use xuezhu_domain::{Season, Term};
use xuezhu_proto::aid::{AwardList, CreateAwardListRequest, ListAwardListsRequest, scheme};

use super::{mark, path};
use crate::{
    pages::{Desk, PageError, render, show},
    parts::{Address, Cell, Field, Form, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Lists on a page.
const ROWS: i32 = 100;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    term: String,
    page: String,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    at: i64,
}

#[derive(Template)]
#[template(path = "lists/index.html")]
struct IndexPage {
    desk: Desk,
    create: Option<Form>,
    narrow: Form,
    table: Table,
}

/// The overview.
pub async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = ListAwardListsRequest { page_size: ROWS, term: asks.term.clone(), page_token: asks.page.clone(), ..Default::default() };
    let answer = desk.awards().list_award_lists(desk.request(asked)).await?.into_inner();
    let create = desk.user.is_clerk().then(|| {
        let schemes = [scheme::Code::Grant, scheme::Code::TuitionWaiver].map(|code| Choice::of(code.as_str_name(), show::scheme(&code.into())));
        Form::of::<CreateAwardListRequest>(&desk, "create", "/lists")
            .row()
            .with(Field::choice("scheme", schemes))
            .with(Field::choice("term", terms(&desk)))
            .button("打开或新建")
    });
    let narrow = Form::narrow(&desk, "narrow", "/lists").with(Field::narrows("term", terms(&desk)).value(&asks.term)).plain("筛选", "");
    let way = Way::Link(Address::of("/lists").with("term", asks.term.as_str()));
    let place = Place::numbered(asks.at).ways(&way, (asks.at > 1).then_some(""), &answer.next_page_token);
    let table = lists(&desk, &answer.lists).place(place);
    Ok(render(&IndexPage { desk, create, narrow, table }))
}

/// This term, the one before, the next.
fn terms(desk: &Desk) -> Vec<Choice> {
    let now = Term::of(desk.civil_day());
    let before = match now.season() {
        Season::Autumn => Term::new(now.year(), Season::Spring),
        Season::Spring => Term::new(now.year() - 1, Season::Autumn),
    };
    [now, before, now.next()].map(|term| Choice::of(term.to_string(), term.name())).to_vec()
}

fn lists(desk: &Desk, lists: &[AwardList]) -> Table {
    let wide = !desk.user.is_school();
    let row = |list: &AwardList| {
        let supplement = if list.supplement > 0 { format!("（补充{}）", list.supplement) } else { String::new() };
        let held = if list.held > 0 { Cell::mark(Tone::Bad, list.held.to_string()) } else { Cell::number(0) };
        let standing = if list.standing_fen == list.amount_fen { String::new() } else { format!("现行 {}", show::yuan(&list.standing_fen)) };
        let row = Row::of([Cell::text(show::term(&list.term)), Cell::link(path(list), format!("{}{supplement}", show::scheme(&list.scheme)))]);
        [
            mark(list),
            Cell::number(list.drafts),
            Cell::number(list.submitted + list.attested),
            Cell::number(list.approved),
            held,
            Cell::yuan(list.amount_fen).beside(standing),
        ]
        .into_iter()
        .fold(row.and_if(wide, || Cell::from(&list.school_name)), |row, cell| row.and_if(true, || cell))
    };
    let table = Table::of("资助名单").columns(["学期", "项目"]).column_if(wide, "学校").column("状态");
    let table = table.numbers(["草稿", "在办", "已审核", "暂缓", "金额（元）"]);
    table.rows(lists.iter().map(row)).empty("没有名单。")
}

#[derive(Deserialize)]
pub struct CreateForm {
    request_id: String,
    scheme: String,
    term: String,
}

/// Opens a list, or makes it.
pub async fn create(desk: Desk, Sent(sent): Sent<CreateForm>) -> Result<Response, PageError> {
    let scheme = scheme::Code::from_str_name(&sent.scheme).unwrap_or_default().into();
    let asked = CreateAwardListRequest { school: desk.user.org.clone(), scheme, term: sent.term };
    let list = desk.awards().create_award_list(desk.change(&sent.request_id, asked)).await?.into_inner().list.unwrap_or_default();
    Ok(Redirect::to(&path(&list)).into_response())
}
