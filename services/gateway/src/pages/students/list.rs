//! The list of a school's students: narrowed by what stands in the address, searched by what does not.

use std::collections::BTreeSet;

use askama::Template;
use axum::{Form as Sent, extract::Query, response::Response};
use serde::Deserialize;
use xuezhu_proto::enrollment::{
    CreateSubmissionRequest, Enrollment, ListClassesRequest, ListEnrollmentsRequest, ListEnrollmentsResponse, TakeOutEnrollmentsRequest, enrollment,
};

use super::{mark, path};
use crate::{
    pages::{
        Desk, PageError,
        dossiers::Keeper,
        pickers::{self, Choice as School},
        render, show,
        takeouts::{Offer, give},
    },
    parts::{Address, Cell, Field, Form, Note, Place, Row, Table, Tone, field::Choice, place::Way},
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
    page: String,
    at: i64,
    /// What a workbook of them is for.
    purpose: String,
}

impl Asks {
    fn state(&self) -> enrollment::State {
        enrollment::State::from_str_name(&self.state).unwrap_or_default()
    }

    /// What may stand in an address.
    fn narrowed(&self) -> [(&'static str, &str); 3] {
        [("school", &self.school), ("state", &self.state), ("class", &self.class)]
    }

    fn narrows(&self) -> bool {
        [&self.q, &self.state, &self.class].into_iter().any(|asked| !asked.is_empty())
    }

    /// The way to other pages of the same: a name or a number stands in no address.
    fn way(&self) -> Way {
        if self.q.is_empty() {
            return Way::Link(self.narrowed().into_iter().fold(Address::of("/students"), |address, (name, value)| address.with(name, value)));
        }
        let fields = self.narrowed().into_iter().chain([("q", self.q.as_str())]).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Way::Posted { action: "/students".into(), fields: fields.collect() }
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
    view(desk, asks).await
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
    let schools = if desk.user.is_school() { Vec::new() } else { pickers::schools(&desk, "", SCHOOLS).await? };
    let (school, wrong) = school_of(&desk, &asks, &schools).await?;
    let (mut found, mut classes) = (ListEnrollmentsResponse::default(), Vec::new());
    if !school.is_empty() {
        let asked = ListClassesRequest { school: school.clone(), ended: false };
        let open = desk.enrollments().list_classes(desk.request(asked)).await?.into_inner().classes;
        classes = open.into_iter().map(|class| class.name).collect::<BTreeSet<String>>().into_iter().collect();
        let asked = ListEnrollmentsRequest {
            school: school.clone(),
            state: asks.state().into(),
            query: asks.q.clone(),
            page_size: ROWS,
            page_token: asks.page.clone(),
            class_name: asks.class.clone(),
            ..Default::default()
        };
        found = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner();
    }
    let narrowed = vec![("school", school.clone()), ("q", asks.q.clone()), ("state", asks.state.clone()), ("class", asks.class.clone())];
    let takeout = Offer::of(&desk, &school, "/students/takeOut", narrowed);
    let named = schools.iter().find(|known| known.code == school).map_or_else(|| asks.school.clone(), School::filled);
    let narrow = narrowing(&desk, &asks, named, &schools, &classes);
    let search = asks.narrowed().into_iter().fold(Form::search(&desk, "search", "/students"), |form, (name, value)| form.with(Field::kept(name, value)));
    let search = search.with(Field::line("q").called("姓名，或完整的证件号、学籍号、学号").value(&asks.q)).button("查找");
    let submit = submitting(&desk, &school).await?;
    let table = students(&desk, &asks, &found);
    Ok(render(&ListPage { desk, narrow, search, wrong, submit, table, takeout }))
}

fn narrowing(desk: &Desk, asks: &Asks, named: String, schools: &[School], classes: &[String]) -> Form {
    let of_school = (!desk.user.is_school()).then(|| Field::picked("school", schools.iter().map(School::filled)).called("学校（名称或代码）").value(named));
    let states = show::student_states().into_iter().map(|(code, name)| Choice::of(code, name));
    Form::narrow(desk, "narrow", "/students")
        .maybe(of_school)
        .with(Field::narrows("class", classes.iter().map(|name| Choice::of(name, name))).called("班级").value(&asks.class))
        .with(Field::narrows("state", states).value(&asks.state))
        .plain("筛选", "")
}

/// What hands every draft to the principal; nothing where there is none.
async fn submitting(desk: &Desk, school: &str) -> Result<Option<Form>, PageError> {
    if !desk.user.is_clerk() {
        return Ok(None);
    }
    let asked = ListEnrollmentsRequest { school: school.to_owned(), state: enrollment::State::Draft.into(), page_size: 1, ..Default::default() };
    let drafts = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner().total_size;
    let form = || {
        Form::of::<CreateSubmissionRequest>(desk, "submit", "/students/submit")
            .row()
            .says(format!("有 {drafts} 名学生的草稿尚未提交。"))
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
            Cell::unbroken(&row.id_number),
            Cell::unbroken(&row.student_number),
            mark(row).maybe(refused),
            story.unwrap_or_default(),
        ])
    };
    let table = Table::of("学生").columns(["姓名", "班级", "专业", "学号", "证件号", "学籍号", "状态"]).acts().rows(found.enrollments.iter().map(row));
    let table = table.empty(if asks.narrows() { "没有符合条件的学生。" } else { "还没有学生。" });
    let table = if desk.user.is_clerk() { table.empty_way("/import", "导入学生") } else { table };
    table.place(Place::of(found.total_size, "人", asks.at, ROWS).ways(&asks.way(), (asks.at > 1).then_some(""), &found.next_page_token))
}

#[derive(Deserialize)]
pub struct SubmitForm {
    request_id: String,
}

/// Hands every draft to the principal.
pub async fn submit(desk: Desk, Sent(sent): Sent<SubmitForm>) -> Result<Response, PageError> {
    let school = desk.user.org.clone();
    let asked = CreateSubmissionRequest { school, enrollments: Vec::new(), all_drafts: true, matching: None };
    let made = desk.submissions().create_submission(desk.change(&sent.request_id, asked)).await?.into_inner();
    Ok(desk.done("已提交，等校长签核。", Keeper::Enrollment.link(&made.submission)))
}
