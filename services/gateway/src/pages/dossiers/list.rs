//! The search: of what kind, in what state, at which school, about whom.

use askama::Template;
use axum::{Form as Sent, extract::Query, response::Response};
use serde::Deserialize;
use xuezhu_proto::common::{Dossier, DossierKind, dossier};

use super::{
    Keeper,
    keeper::{Asked, Found},
    mark,
};
use crate::{
    pages::{
        Desk, PageError,
        printed::{self, Every, ROWS_AT_ONCE},
        render, show,
        takeouts::{Offer, give},
    },
    parts::{Address, Cell, Field, Form, Note, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Dossiers on a page.
const ROWS: i32 = 50;
/// States that are looked for.
const STATES: [dossier::State; 4] = [dossier::State::UnderWay, dossier::State::Done, dossier::State::Returned, dossier::State::Recalled];

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    keeper: String,
    kind: String,
    state: String,
    school: String,
    name: String,
    item: String,
    about: String,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    at: i32,
    /// What a workbook of them is for.
    purpose: String,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

impl Asks {
    fn keeper(&self) -> Keeper {
        Keeper::of(&self.keeper).unwrap_or(Keeper::Enrollment)
    }

    fn state(&self) -> dossier::State {
        dossier::State::from_str_name(&self.state).unwrap_or_default()
    }

    /// What may stand in an address.
    fn narrowed(&self) -> [(&'static str, String); 6] {
        let own = |text: &String| text.trim().to_owned();
        [
            ("keeper", self.keeper().word().to_owned()),
            ("kind", own(&self.kind)),
            ("state", own(&self.state)),
            ("school", own(&self.school)),
            ("item", own(&self.item)),
            ("about", own(&self.about)),
        ]
    }

    /// The dossiers that are asked for, of a page.
    fn asked(&self, at: i32) -> Asked {
        Asked {
            school: self.school.trim().to_owned(),
            kind: self.kind.clone(),
            state: self.state(),
            name: self.name.trim().to_owned(),
            item: self.item.clone(),
            about: self.about.clone(),
            at,
        }
    }

    /// Whether anything narrows the list.
    fn narrows(&self) -> bool {
        [&self.kind, &self.state, &self.school, &self.name, &self.item, &self.about].into_iter().any(|asked| !asked.is_empty())
    }

    fn address(&self) -> Address {
        self.narrowed().into_iter().fold(Address::of("/dossiers"), |address, (name, value)| address.with(name, value))
    }

    fn way(&self) -> Way {
        if self.name.is_empty() {
            return Way::Link(self.address());
        }
        let fields = self.narrowed().into_iter().chain([("name", self.name.clone())]).map(|(name, value)| (name.to_owned(), value));
        Way::Posted { action: "/dossiers".into(), fields: fields.collect() }
    }
}

#[derive(Template)]
#[template(path = "dossiers/list.html")]
struct ListPage {
    desk: Desk,
    note: Option<Note>,
    narrow: Form,
    search: Form,
    table: Table,
    takeout: Option<Offer>,
}

/// The list, narrowed by its address: no name stands there.
pub async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    view(desk, Asks { name: String::new(), ..asks }).await
}

/// The list, searched by a name.
pub async fn search(desk: Desk, Sent(asks): Sent<Asks>) -> Result<Response, PageError> {
    view(desk.at(asks.address()), asks).await
}

/// Whose dossiers a workbook would hold: a department names the school.
fn school_of(desk: &Desk, asks: &Asks) -> String {
    if desk.user.is_school() { desk.user.org.clone() } else { asks.school.trim().to_owned() }
}

/// A school's dossiers that are shown, as a workbook.
pub async fn take_out(desk: Desk, Sent(asks): Sent<Asks>) -> Result<Response, PageError> {
    let asked = asks.keeper().taken_out(school_of(&desk, &asks), asks.purpose.clone(), asks.kind.clone(), asks.state(), asks.name.trim().to_owned());
    give(&desk, asked).await
}

async fn view(desk: Desk, asks: Asks) -> Result<Response, PageError> {
    let keeper = asks.keeper();
    if asks.print {
        printed::may_print_people(&desk)?;
        return print(desk, &asks).await;
    }
    let found = keeper.list(&desk, asks.asked(asks.at), ROWS).await?;
    let narrow = narrowing(&desk, &asks, &found.kinds);
    let search = asks.narrowed().into_iter().fold(Form::search(&desk, "search", "/dossiers"), |form, (name, value)| form.with(Field::kept(name, value)));
    let search = search.with(Field::line("name").called("学生姓名（全名）").value(asks.name.trim()).limit(60)).button("查找");
    let of_one = match (asks.item.is_empty(), asks.about.is_empty()) {
        (false, _) => Some("只看涉及这一名学生的业务单。"),
        (true, false) => Some("只看这一份名单的业务单：每次提交一张。"),
        (true, true) => None,
    };
    let note = of_one.map(|text| Note::of(Tone::Plain, text).way(Address::of("/dossiers").with("keeper", keeper.word()), "看全部"));
    // What is about one thing or one student is narrowed further than a workbook can be.
    let narrowed = asks.narrowed().into_iter().filter(|(name, _)| *name != "item" && *name != "about").chain([("name", asks.name.clone())]);
    let takeout = Offer::of(&desk, keeper.is_decided_by(&desk.user, &desk.user.org), &school_of(&desk, &asks), "/dossiers/takeOut", narrowed.collect())
        .filter(|_| note.is_none());
    let table = dossiers(&desk, &asks, &found);
    Ok(render(&ListPage { desk, note, narrow, search, table, takeout }))
}

/// All of them, to be printed.
async fn print(desk: Desk, asks: &Asks) -> Result<Response, PageError> {
    let mut kinds = Vec::new();
    let mut every = Every::new();
    while let Some(at) = every.next() {
        let page = asks.keeper().list(&desk, asks.asked(at), ROWS_AT_ONCE).await?;
        kinds = page.kinds;
        every.take(page.dossiers, page.total)?;
    }
    let kind = kinds.iter().find(|kind| kind.kind == asks.kind).map(|kind| kind.name.clone()).unwrap_or_default();
    let narrowed = [asks.keeper().name().to_owned(), kind, show::dossier_state(&asks.state).to_owned(), asks.school.trim().to_owned()];
    let table = self::dossiers(&desk, asks, &Found { dossiers: every.rows(), kinds, total: 0 });
    Ok(printed::page(desk, "业务单", &narrowed, asks.address(), table))
}

fn narrowing(desk: &Desk, asks: &Asks, kinds: &[DossierKind]) -> Form {
    let states = STATES.into_iter().map(|state| Choice::of(state.as_str_name(), show::dossier_state(state.as_str_name())));
    let school = (!desk.user.is_school()).then(|| Field::line("school").called("学校代码").value(asks.school.trim()).limit(10));
    let kept = |name: &'static str, value: &str| (!value.is_empty()).then(|| Field::kept(name, value));
    Form::narrow(desk, "narrow", "/dossiers")
        .with(Field::kept("keeper", asks.keeper().word()))
        .maybe(kept("item", &asks.item))
        .maybe(kept("about", &asks.about))
        .with(Field::narrows("kind", kinds.iter().map(|kind| Choice::of(&kind.kind, &kind.name))).called("类别").value(&asks.kind))
        .with(Field::narrows("state", states).value(&asks.state))
        .maybe(school)
        .plain("筛选", "")
}

fn dossiers(desk: &Desk, asks: &Asks, found: &Found) -> Table {
    let (keeper, wide) = (asks.keeper(), !desk.user.is_school());
    let row = |row: &Dossier| {
        let parted = if row.performed > 0 && row.left > 0 { format!("通过 {}，退出 {}", row.performed, row.left) } else { String::new() };
        let due = Cell::unbroken(&row.due_date).maybe(row.overdue.then(|| Cell::mark(Tone::Bad, "已逾期")));
        let school = if wide { row.school_name.clone() } else { String::new() };
        Row::of([
            Cell::link(keeper.link(&row.dossier), row.title.as_str()).beside(school),
            Cell::number(row.waiting + row.performed + row.left),
            Cell::unbroken(&row.submit_date).beside(row.submitted_by.as_str()),
            mark(row).beside(parted),
            due,
        ])
    };
    let table = Table::of("业务单").column("业务单").number("人数").columns(["提交", "状态", "期限"]).rows(found.dossiers.iter().map(row));
    let table = table.empty(if asks.narrows() { "没有符合条件的业务单。" } else { "还没有业务单：学校提交后就会出现在这里。" });
    // What is about one student is called by the name.
    let whole = if asks.name.is_empty() { printed::of_people(desk, &asks.address()) } else { None };
    table.place(Place::of(found.total, "张", asks.at.into(), ROWS).by_number(&asks.way()).printed(whole))
}
