//! The list of a school's students: narrowed by what stands in the address, searched by what does not.

use askama::Template;
use axum::{
    Form as Sent,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use xuezhu_proto::enrollment::{
    CreateSubmissionRequest, DraftFilter, Enrollment, ListClassesRequest, ListClassesResponse, ListEnrollmentsRequest, ListEnrollmentsResponse,
    TakeOutEnrollmentsRequest, enrollment, list_enrollments_request::Order,
};

use super::{mark, path};
use crate::{
    pages::{
        Desk, PageError,
        dossiers::Keeper,
        pickers::{self, Choice as School},
        printed::{self, Every, ROWS_AT_ONCE},
        render, show,
        takeouts::{Offer, give},
    },
    parts::{
        Address, Cell, Field, Form, Note, Place, Row, Table, Tone,
        field::{Choice, blank_is_none},
        place::Way,
        table,
        whole::{COUNT, Whole},
    },
    takeouts::Asked,
};

/// Schools that are offered.
const SCHOOLS: usize = 200;
/// Students on a page.
const ROWS: i32 = 100;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    school: String,
    q: String,
    state: String,
    class: String,
    major: String,
    #[serde(deserialize_with = "blank_is_none")]
    year: i32,
    /// The column by which it is ordered, and whether the other way round.
    order: String,
    #[serde(deserialize_with = "blank_is_none")]
    down: bool,
    #[serde(deserialize_with = "blank_is_none")]
    at: i32,
    /// What a workbook of them is for.
    purpose: String,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

impl Asks {
    fn state(&self) -> enrollment::State {
        enrollment::State::from_str_name(&self.state).unwrap_or_default()
    }

    fn order(&self) -> Order {
        Order::from_str_name(&self.order).unwrap_or_default()
    }

    /// What may stand in an address.
    fn narrowed(&self) -> [(&'static str, String); 7] {
        [
            ("school", self.school.clone()),
            ("state", self.state.clone()),
            ("class", self.class.clone()),
            ("major", self.major.clone()),
            ("year", if self.year == 0 { String::new() } else { self.year.to_string() }),
            ("order", self.order.clone()),
            ("down", if self.down { "true".to_owned() } else { String::new() }),
        ]
    }

    /// The students that are asked for, on a page of so many.
    fn asked(&self, school: &str, rows: i32, at: i32) -> ListEnrollmentsRequest {
        ListEnrollmentsRequest {
            school: school.to_owned(),
            state: self.state().into(),
            query: self.q.clone(),
            page_size: rows,
            page_number: at.max(1),
            class_name: self.class.clone(),
            major: self.major.clone(),
            entry_year: self.year,
            order_by: self.order().into(),
            descending: self.down,
            ..Default::default()
        }
    }

    fn narrows(&self) -> bool {
        self.year != 0 || [&self.q, &self.state, &self.class, &self.major].into_iter().any(|asked| !asked.is_empty())
    }

    fn address(&self) -> Address {
        self.narrowed().into_iter().fold(Address::of("/students"), |address, (name, value)| address.with(name, value))
    }

    /// The way to other pages of the same: a name or a number stands in no address.
    fn way(&self) -> Way {
        if self.q.is_empty() {
            return Way::Link(self.address());
        }
        let fields = self.narrowed().into_iter().chain([("q", self.q.clone())]).map(|(name, value)| (name.to_owned(), value));
        Way::Posted { action: "/students".into(), fields: fields.collect() }
    }

    /// Where a column is ordered by, and in which order it stands now: the other way round where it is by this one already.
    fn ordered(&self, by: Order) -> (Address, Option<table::Order>) {
        let is_by = self.order() == by;
        let down = if is_by && !self.down { "true" } else { "" };
        let now = is_by.then_some(if self.down { table::Order::Down } else { table::Order::Up });
        (self.address().with("order", by.as_str_name()).with("down", down), now)
    }
}

#[derive(Template)]
#[template(path = "students/list.html")]
struct ListPage {
    desk: Desk,
    narrow: Form,
    search: Form,
    wrong: Option<Note>,
    submit: Option<Form>,
    table: Table,
    takeout: Option<Offer>,
}

/// The list. A link may be kept, handed on and logged: what is searched for does not belong there.
pub async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    view(desk, Asks { q: String::new(), ..asks }).await
}

/// A search: a name or a whole number.
pub async fn search(desk: Desk, Sent(asks): Sent<Asks>) -> Result<Response, PageError> {
    view(desk.at(asks.address()), asks).await
}

/// The students that are shown, as a workbook.
pub async fn take_out(desk: Desk, Sent(asks): Sent<Asks>) -> Result<Response, PageError> {
    let asked = TakeOutEnrollmentsRequest {
        school: if desk.user.is_school() { desk.user.org.clone() } else { asks.school.clone() },
        state: asks.state().into(),
        purpose: asks.purpose,
        class_name: asks.class,
        name: asks.q,
    };
    give(&desk, Asked::Enrollments(asked)).await
}

/// Which school is meant, and what is said where none is.
async fn school_of(desk: &Desk, asks: &Asks, schools: &[School]) -> Result<(String, Option<Note>), PageError> {
    if desk.user.is_school() {
        return Ok((desk.user.org.clone(), None));
    }
    if asks.school.trim().is_empty() {
        return Ok((schools.first().map(|school| school.code.clone()).unwrap_or_default(), None));
    }
    Ok(match pickers::school(desk, &asks.school).await? {
        Ok(code) => (code, None),
        Err(why) => (String::new(), Note::wrong(&format!("学校：{why}"))),
    })
}

async fn view(desk: Desk, asks: Asks) -> Result<Response, PageError> {
    // Hers are the classes.
    if desk.user.is_teacher() {
        return Ok(Redirect::to("/classes").into_response());
    }
    let schools = if desk.user.is_school() { Vec::new() } else { pickers::schools(&desk, "", SCHOOLS).await? };
    let (school, wrong) = school_of(&desk, &asks, &schools).await?;
    let (mut found, mut occurring) = (ListEnrollmentsResponse::default(), ListClassesResponse::default());
    if !school.is_empty() {
        let asked = ListClassesRequest { school: school.clone(), ended: false };
        occurring = desk.enrollments().list_classes(desk.request(asked)).await?.into_inner();
        if asks.print {
            printed::may_print_people(&desk)?;
            return print(desk, &asks, &school, &occurring).await;
        }
        found = desk.enrollments().list_enrollments(desk.request(asks.asked(&school, ROWS, asks.at))).await?.into_inner();
    }
    let narrowed = vec![("school", school.clone()), ("q", asks.q.clone()), ("state", asks.state.clone()), ("class", asks.class.clone())];
    // A workbook is narrowed by neither: it would tell more than is shown.
    let whole = asks.major.is_empty() && asks.year == 0;
    let takeout = Offer::of(&desk, desk.user.decides_enrollment(), &school, "/students/takeOut", narrowed).filter(|_| whole);
    let named = schools.iter().find(|known| known.code == school).map_or_else(|| asks.school.clone(), School::filled);
    let narrow = narrowing(&desk, &asks, named, &schools, &occurring);
    let search = asks.narrowed().into_iter().fold(Form::search(&desk, "search", "/students"), |form, (name, value)| form.with(Field::kept(name, value)));
    let search = search.with(Field::line("q").called("姓名，或完整的证件号、学籍号、学号").value(&asks.q)).button("查找");
    let submit = submitting(&desk, &asks, &school).await?;
    let table = students(&desk, &asks, &found);
    Ok(render(&ListPage { desk, narrow, search, wrong, submit, table, takeout }))
}

/// All of them, to be printed.
async fn print(desk: Desk, asks: &Asks, school: &str, occurring: &ListClassesResponse) -> Result<Response, PageError> {
    let mut every = Every::new();
    while let Some(at) = every.next() {
        let page = desk.enrollments().list_enrollments(desk.request(asks.asked(school, ROWS_AT_ONCE, at))).await?.into_inner();
        every.take(page.enrollments, page.total_size)?;
    }
    let major = occurring.majors.iter().find(|major| major.major == asks.major).map(|major| major.name.clone()).unwrap_or_default();
    let narrowed = [
        if desk.user.is_school() { String::new() } else { school.to_owned() },
        asks.class.clone(),
        major,
        if asks.year == 0 { String::new() } else { format!("{}级", asks.year) },
        show::student_states().into_iter().find(|(word, _)| *word == asks.state).map(|(_, name)| name.to_owned()).unwrap_or_default(),
    ];
    let table = students(&desk, asks, &ListEnrollmentsResponse { enrollments: every.rows(), ..Default::default() });
    Ok(printed::page(desk, "学生名册", &narrowed, asks.address(), table))
}

fn narrowing(desk: &Desk, asks: &Asks, named: String, schools: &[School], occurring: &ListClassesResponse) -> Form {
    let of_school = (!desk.user.is_school()).then(|| Field::picked("school", schools.iter().map(School::filled)).called("学校（名称或代码）").value(named));
    let states = show::student_states().into_iter().map(|(code, name)| Choice::of(code, name));
    let years = occurring.entry_years.iter().map(|year| Choice::of(year.to_string(), format!("{year}级")));
    Form::narrow(desk, "narrow", "/students")
        .maybe((!asks.order.is_empty()).then(|| Field::kept("order", &asks.order)))
        .maybe(asks.down.then(|| Field::kept("down", "true")))
        .maybe(of_school)
        .with(Field::narrows("class", occurring.class_names.iter().map(|name| Choice::of(name, name))).called("班级").value(&asks.class))
        .with(Field::narrows("major", occurring.majors.iter().map(|major| Choice::of(&major.major, &major.name))).called("专业").value(&asks.major))
        .with(Field::narrows("year", years).called("年级").value(if asks.year == 0 { String::new() } else { asks.year.to_string() }))
        .with(Field::narrows("state", states).value(&asks.state))
        .plain("筛选", "")
}

/// What hands every draft to the principal; nothing where there is none.
async fn submitting(desk: &Desk, asks: &Asks, school: &str) -> Result<Option<Form>, PageError> {
    if !desk.user.is_clerk() {
        return Ok(None);
    }
    // As the list is narrowed: what is submitted is what is seen. A name narrows nothing here.
    let asked = ListEnrollmentsRequest {
        school: school.to_owned(),
        state: enrollment::State::Draft.into(),
        page_size: 1,
        class_name: asks.class.clone(),
        major: asks.major.clone(),
        entry_year: asks.year,
        ..Default::default()
    };
    let drafts = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner().total_size;
    let narrowed = !asks.class.is_empty() || !asks.major.is_empty() || asks.year != 0;
    let of = if narrowed { "筛选出的学生中，" } else { "" };
    let form = || {
        Form::of::<CreateSubmissionRequest>(desk, "submit", "/students/submit")
            .row()
            .with(Field::kept("class", &asks.class))
            .with(Field::kept("major", &asks.major))
            .with(Field::kept("year", asks.year.to_string()))
            .hidden(COUNT, drafts.to_string())
            .says(format!("{of}有 {drafts} 名学生的草稿尚未提交。"))
            .button("全部提交给校长签核")
            .asks(format!("提交 {drafts} 名学生的学籍注册。"))
    };
    Ok((drafts > 0).then(form))
}

fn students(desk: &Desk, asks: &Asks, found: &ListEnrollmentsResponse) -> Table {
    let row = |row: &Enrollment| {
        let story = (!row.person.is_empty()).then(|| Cell::link(format!("/students/{}", row.person), "学籍与资助"));
        let refused = (!row.refusal.is_empty()).then(|| Cell::mark(Tone::Bad, "未获批准"));
        Row::of([
            Cell::link(path(row), row.name.as_str()),
            Cell::from(&row.class_name),
            Cell::from(&row.major_name),
            Cell::unbroken(&row.school_number),
            Cell::text(show::whole_month(row.entry_month)),
            Cell::unbroken(&row.id_number),
            Cell::unbroken(&row.student_number),
            mark(row).maybe(refused),
            story.unwrap_or_default(),
        ])
    };
    let ordered = |table: Table, by: Order| {
        let (address, now) = asks.ordered(by);
        table.ordered(address, now)
    };
    // A name that is searched for stands in no address, so what it finds stands in one order.
    let by = |table: Table, by: Order| if asks.q.is_empty() { ordered(table, by) } else { table };
    let table = by(Table::of("学生").column("姓名"), Order::Name);
    let table = by(table.column("班级"), Order::Class).column("专业");
    let table = by(by(table.column("学号"), Order::SchoolNumber).column("入学年月"), Order::Entry).columns(["证件号", "学籍号"]);
    let table = by(table.column("状态"), Order::State).acts().rows(found.enrollments.iter().map(row));
    let table = table.empty(if asks.narrows() { "没有符合条件的学生。" } else { "还没有学生。" });
    let table = if desk.user.is_clerk() { table.empty_way("/import", "导入学生") } else { table };
    let number = asks.at.max(1);
    let whole = if asks.q.is_empty() { printed::of_people(desk, &asks.address()) } else { None };
    table.place(Place::of(found.total_size, "人", number.into(), ROWS).by_number(&asks.way()).printed(whole))
}

/// Which drafts are handed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SubmitForm {
    request_id: String,
    class: String,
    major: String,
    #[serde(deserialize_with = "blank_is_none")]
    year: i32,
    whole_count: Whole,
}

/// Hands every draft to the principal.
pub async fn submit(desk: Desk, Sent(sent): Sent<SubmitForm>) -> Result<Response, PageError> {
    let school = desk.user.org.clone();
    let SubmitForm { request_id, class, major, year, whole_count } = sent;
    let matching = DraftFilter { state: enrollment::State::Draft.into(), class_name: class, major, entry_year: year, count: whole_count.count()? };
    let asked = CreateSubmissionRequest { school, enrollments: Vec::new(), all_drafts: false, matching: Some(matching) };
    let made = desk.submissions().create_submission(desk.change(&request_id, asked)).await?.into_inner();
    Ok(desk.done("已提交，等校长签核。", Keeper::Enrollment.link(&made.submission)))
}
