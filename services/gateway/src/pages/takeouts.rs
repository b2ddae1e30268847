//! 导出: the form under a table that takes it out as a workbook, and the page of receipts.

use std::sync::Arc;

use askama::{Template, filters::HtmlSafe};
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    aid,
    common::TakeOut,
    enrollment::{self, ListSchoolsRequest, School},
};

use super::{Desk, PageError, dossiers::Keeper, render, show};
use crate::{
    Gateway,
    parts::{Address, Field, Form},
    takeouts::{self, Asked},
};

/// Receipts on a page.
const ROWS: i32 = 50;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/takeOuts", get(page))
}

/// The form under a table.
#[derive(Template)]
#[template(path = "takeout.html")]
pub struct Offer {
    form: Form,
    /// Whether whoever looks gets counts only.
    counts: bool,
    /// Where what was taken out is told.
    receipts: Address,
}

impl HtmlSafe for Offer {}

impl Offer {
    /// For who looks at a table of a school, with what narrows it; none for who may not take it out.
    pub fn of(desk: &Desk, school: &str, action: impl Into<String>, narrowed: Vec<(&'static str, String)>) -> Option<Self> {
        let user = &desk.user;
        let may = user.is_officer() || (user.is_school() && user.org == school);
        if !may || school.is_empty() {
            return None;
        }
        let form = narrowed.into_iter().fold(Form::search(desk, "takeOut", action), |form, (name, value)| form.with(Field::kept(name, value)));
        let form = form
            .with(Field::line("purpose").called("导出用途").required().limit(200).hint("如：开学统计"))
            .plain(if user.is_officer() { "导出统计" } else { "导出" }, "");
        Some(Self { form, counts: user.is_officer(), receipts: Address::of("/takeOuts").with("school", school) })
    }
}

/// The workbook.
pub async fn give(desk: &Desk, asked: Asked) -> Result<Response, PageError> {
    Ok(takeouts::give(&desk.gateway.upstreams, desk.request(()).metadata().clone(), asked).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    keeper: String,
    school: String,
    page: String,
}

#[derive(Template)]
#[template(path = "takeouts.html")]
struct TakeOutsPage {
    desk: Desk,
    keeper: Keeper,
    keepers: [Keeper; 2],
    schools: Vec<School>,
    school: String,
    rows: Vec<TakeOut>,
    next: String,
}

impl TakeOutsPage {
    /// Where what was taken out is, where it is something with a page.
    fn link(row: &TakeOut) -> Option<String> {
        (row.kind == "AWARD_LIST").then(|| format!("/schools/{}/lists/{}", row.school, row.subject))
    }
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    if !desk.user.is_school() && !desk.user.is_officer() {
        return Err(PageError::Refused(Status::permission_denied("导出记录由学校和其主管部门查看")));
    }
    let keeper = Keeper::of(&query.keeper).unwrap_or(Keeper::Enrollment);
    let schools = if desk.user.is_school() {
        Vec::new()
    } else {
        desk.directory().list_schools(desk.request(ListSchoolsRequest { page_size: 1000, ..Default::default() })).await?.into_inner().schools
    };
    let school = match (desk.user.is_school(), query.school.is_empty()) {
        (true, _) => desk.user.org.clone(),
        (false, false) => query.school.clone(),
        (false, true) => schools.first().map(|school| school.code.clone()).unwrap_or_default(),
    };
    let (mut rows, mut next) = (Vec::new(), String::new());
    if !school.is_empty() {
        (rows, next) = receipts(&desk, keeper, school.clone(), query.page).await?;
    }
    Ok(render(&TakeOutsPage { desk, keeper, keepers: Keeper::ALL, schools, school, rows, next }))
}

async fn receipts(desk: &Desk, keeper: Keeper, school: String, page_token: String) -> Result<(Vec<TakeOut>, String), Status> {
    Ok(match keeper {
        Keeper::Enrollment => {
            let asked = enrollment::ListTakeOutsRequest { school, page_size: ROWS, page_token };
            let answer = desk.enrollment_take_outs().list_take_outs(desk.request(asked)).await?.into_inner();
            (answer.take_outs, answer.next_page_token)
        }
        Keeper::Aid => {
            let asked = aid::ListTakeOutsRequest { school, page_size: ROWS, page_token };
            let answer = desk.aid_take_outs().list_take_outs(desk.request(asked)).await?.into_inner();
            (answer.take_outs, answer.next_page_token)
        }
    })
}
