//! 查找: one search over students, dossiers and confirmed cases. What is searched for stands in no address.

use std::sync::Arc;

use askama::Template;
use axum::{Form as Sent, Router, response::Response, routing::get};
use serde::Deserialize;
use xuezhu_proto::{
    aid::{Case, ListCasesRequest},
    common::Dossier,
    enrollment::{Enrollment, ListEnrollmentsRequest},
};

use super::{
    Desk, PageError,
    dossiers::{self, Keeper},
    render, show, students,
};
use crate::{
    Gateway,
    parts::{Cell, Field, Form, Row, Table},
};

/// Rows of each kind that are shown: more are found on their own pages.
const ROWS: i32 = 20;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/search", get(page).post(search))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    q: String,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    desk: Desk,
    form: Form,
    /// What was found, of each kind.
    found: Vec<(&'static str, Table)>,
}

async fn page(desk: Desk) -> Response {
    let form = form(&desk, "");
    render(&SearchPage { desk, form, found: Vec::new() })
}

fn form(desk: &Desk, q: &str) -> Form {
    let label = if desk.user.is_school() { "姓名，或完整的证件号、学籍号、学号" } else { "学生姓名（全名）" };
    Form::search(desk, "everywhere", "/search").with(Field::line("q").called(label).value(q).required().limit(60)).button("查找")
}

async fn search(desk: Desk, Sent(asks): Sent<Asks>) -> Result<Response, PageError> {
    let q = asks.q.trim().to_owned();
    let form = form(&desk, &q);
    if q.is_empty() || !desk.user.reads_school() {
        return Ok(render(&SearchPage { desk, form, found: Vec::new() }));
    }
    let mut found = Vec::new();
    if desk.user.is_school() {
        let asked = ListEnrollmentsRequest { school: desk.user.org.clone(), query: q.clone(), page_size: ROWS, ..Default::default() };
        let answer = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner();
        found.push(("学生", students_of(&answer.enrollments)));
    }
    for keeper in Keeper::ALL {
        let rows = dossiers::of_name(&desk, keeper, &q, ROWS).await?;
        found.push((if keeper == Keeper::Enrollment { "学籍业务单" } else { "资助业务单" }, dossiers_of(keeper, &rows)));
    }
    let asked = ListCasesRequest { name: q, page_size: ROWS, ..Default::default() };
    let cases = desk.register().list_cases(desk.request(asked)).await?.into_inner().cases;
    found.push(("问题台账", cases_of(&cases)));
    Ok(render(&SearchPage { desk, form, found }))
}

fn students_of(rows: &[Enrollment]) -> Table {
    let row = |row: &Enrollment| {
        let story = if row.person.is_empty() { Cell::default() } else { Cell::link(format!("/students/{}", row.person), "学籍与资助") };
        Row::of([Cell::link(students::path(row), row.name.as_str()), Cell::from(&row.class_name), Cell::unbroken(&row.id_number), students::mark(row), story])
    };
    Table::of("学生").columns(["姓名", "班级", "证件号", "状态"]).acts().rows(rows.iter().map(row)).empty("没有找到学生。")
}

fn dossiers_of(keeper: Keeper, rows: &[Dossier]) -> Table {
    let row = |row: &Dossier| {
        let link = Cell::link(keeper.link(&row.dossier), row.title.as_str());
        Row::of([link, Cell::from(&row.school_name), Cell::unbroken(&row.submit_date), dossiers::mark(row)])
    };
    Table::of("业务单").columns(["业务单", "学校", "提交", "状态"]).rows(rows.iter().map(row)).empty("没有涉及的业务单。")
}

fn cases_of(rows: &[Case]) -> Table {
    let row = |row: &Case| {
        let link = Cell::link(format!("/cases/{}", row.case), row.name.as_str());
        Row::of([link, Cell::from(&row.school_name), Cell::from(&row.rule_name), Cell::text(show::case_state(row.state().as_str_name()))])
    };
    Table::of("问题台账").columns(["姓名", "学校", "规则", "状态"]).rows(rows.iter().map(row)).empty("没有认定过的问题。")
}
