//! The overview: one main list a scheme and term, supplementary ones after it.

use askama::Template;
use axum::{
    Form as Sent,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use xuezhu_domain::Term;
use xuezhu_proto::aid::{AwardList, CreateAwardListRequest, ListAwardListsRequest, ListAwardListsResponse, ListSchemesRequest, award_list::State};

use super::{mark, path};
use crate::{
    pages::{
        Desk, PageError,
        pickers::{self, Choice as School},
        printed::{self, Every, ROWS_AT_ONCE},
        render, show,
    },
    parts::{Address, Cell, Field, Form, Note, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Lists on a page.
const ROWS: i32 = 50;
/// Schools that are offered.
const SCHOOLS: usize = 200;
/// Terms that are offered: some ten years.
const TERMS: usize = 21;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    school: String,
    term: String,
    state: String,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    at: i32,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

impl Asks {
    fn state(&self) -> State {
        State::from_str_name(&self.state).unwrap_or_default()
    }

    fn narrows(&self) -> bool {
        [&self.school, &self.term, &self.state].into_iter().any(|asked| !asked.is_empty())
    }

    fn address(&self) -> Address {
        let asked = [("school", self.school.trim()), ("term", &self.term), ("state", &self.state)];
        asked.into_iter().fold(Address::of("/lists"), |address, (name, value)| address.with(name, value))
    }
}

#[derive(Template)]
#[template(path = "lists/index.html")]
struct IndexPage {
    desk: Desk,
    create: Option<Form>,
    narrow: Form,
    wrong: Option<Note>,
    table: Table,
}

/// The overview.
pub async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let schools = if desk.user.is_school() { Vec::new() } else { pickers::schools(&desk, "", SCHOOLS).await? };
    let (school, wrong) = match asks.school.trim() {
        "" => (String::new(), None),
        typed => match pickers::school(&desk, typed).await? {
            Ok(code) => (code, None),
            Err(why) => (String::new(), Note::wrong(&format!("学校：{why}"))),
        },
    };
    let mut answer = ListAwardListsResponse::default();
    let asked = |rows: i32, at: i32| {
        let (school, term, state) = (school.clone(), asks.term.clone(), asks.state().into());
        ListAwardListsRequest { school, term, state, page_size: rows, page_number: at.max(1), ..Default::default() }
    };
    if wrong.is_none() && asks.print {
        let mut every = Every::new();
        while let Some(at) = every.next() {
            let page = desk.awards().list_award_lists(desk.request(asked(ROWS_AT_ONCE, at))).await?.into_inner();
            every.take(page.lists, page.total_size)?;
        }
        let narrowed = [school.clone(), show::term(&asks.term), show::state(&asks.state).to_owned()];
        let table = lists(&desk, &every.rows(), asks.narrows());
        return Ok(printed::page(desk, "资助名单", &narrowed, asks.address(), table));
    }
    if wrong.is_none() {
        answer = desk.awards().list_award_lists(desk.request(asked(ROWS, asks.at))).await?.into_inner();
    }
    let schemes = if desk.user.is_clerk() { desk.policies().list_schemes(desk.request(ListSchemesRequest {})).await?.into_inner().schemes } else { Vec::new() };
    let create = desk.user.is_clerk().then(|| {
        let schemes = schemes.iter().map(|scheme| Choice::of(&scheme.scheme_code, &scheme.scheme_name));
        Form::of::<CreateAwardListRequest>(&desk, "create", "/lists")
            .row()
            .with(Field::choice("scheme_code", schemes))
            .with(Field::choice("term", terms(&desk)))
            .button("打开或新建")
    });
    let place = Place::of(answer.total_size, "份", asks.at.into(), ROWS).by_number(&Way::Link(asks.address())).printed(Some(printed::of_all(&asks.address())));
    let table = lists(&desk, &answer.lists, asks.narrows()).place(place);
    let narrow = narrowing(&desk, &asks, &schools);
    Ok(render(&IndexPage { desk, create, narrow, wrong, table }))
}

fn narrowing(desk: &Desk, asks: &Asks, schools: &[School]) -> Form {
    let of_school =
        (!desk.user.is_school()).then(|| Field::picked("school", schools.iter().map(School::filled)).called("学校（名称或代码）").value(asks.school.trim()));
    let states =
        [State::Draft, State::Submitted, State::Attested, State::Approved].map(|state| Choice::of(state.as_str_name(), show::state(state.as_str_name())));
    Form::narrow(desk, "narrow", "/lists")
        .maybe(of_school)
        .with(Field::narrows("term", past_terms(desk)).value(&asks.term))
        .with(Field::narrows("state", states).value(&asks.state))
        .plain("筛选", "")
}

/// The next term and those before it, newest first: an archive goes far back.
pub fn past_terms(desk: &Desk) -> Vec<Choice> {
    let next = Term::of(desk.civil_day()).next();
    let terms = std::iter::successors(Some(next), |term| Some(term.before())).take(TERMS);
    terms.map(|term| Choice::of(term.to_string(), term.name())).collect()
}

/// This term, the one before, the next.
fn terms(desk: &Desk) -> Vec<Choice> {
    let now = Term::of(desk.civil_day());
    [now, now.before(), now.next()].map(|term| Choice::of(term.to_string(), term.name())).to_vec()
}

fn lists(desk: &Desk, lists: &[AwardList], narrowed: bool) -> Table {
    let wide = !desk.user.is_school();
    let row = |list: &AwardList| {
        let supplement = if list.supplement > 0 { format!("（补充{}）", list.supplement) } else { String::new() };
        let held = if list.held > 0 { Cell::mark(Tone::Bad, list.held.to_string()) } else { Cell::number(0) };
        let standing = if list.standing_fen == list.amount_fen { String::new() } else { format!("现行 {}", show::yuan(&list.standing_fen)) };
        let row = Row::of([Cell::text(show::term(&list.term)), Cell::link(path(list), format!("{}{supplement}", &list.scheme_name))]);
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
    table.rows(lists.iter().map(row)).empty(if narrowed { "没有符合条件的名单。" } else { "还没有名单。" })
}

#[derive(Deserialize)]
pub struct CreateForm {
    request_id: String,
    scheme_code: String,
    term: String,
}

/// Opens a list, or makes it.
pub async fn create(desk: Desk, Sent(sent): Sent<CreateForm>) -> Result<Response, PageError> {
    let asked = CreateAwardListRequest { school: desk.user.org.clone(), scheme_code: sent.scheme_code, term: sent.term, ..Default::default() };
    let list = desk.awards().create_award_list(desk.change(&sent.request_id, asked)).await?.into_inner().list.unwrap_or_default();
    Ok(Redirect::to(&path(&list)).into_response())
}
