//! 导出: the form under a table that takes it out as a workbook, and the page of receipts.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use tonic::{Code, Status};
use xuezhu_proto::{
    aid,
    common::TakeOut,
    enrollment::{self, ListSchoolsRequest, School},
};

use super::{Desk, PageError, dossiers::Keeper, in_chinese, render, session::User, show};
use crate::{
    Gateway,
    takeouts::{self, Asked},
};

/// Receipts on a page.
const ROWS: i32 = 50;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/takeOuts", get(page))
}

/// The form under a table.
pub struct Offer {
    /// Where it goes.
    pub action: String,
    /// What narrows the table, as the form hands it on.
    pub fields: Vec<(&'static str, String)>,
    /// Whether whoever looks gets counts only.
    pub counts: bool,
    /// School whose table it is.
    pub school: String,
    /// What was filled in and refused, and why.
    pub told: Told,
}

/// What was filled in and refused.
#[derive(Debug, Default)]
pub struct Told {
    /// What for.
    pub purpose: String,
    /// Why it was refused, in Chinese.
    pub error: String,
}

impl Offer {
    /// For who looks at a table of a school; none for who may not take it out.
    pub fn of(user: &User, school: &str, action: impl Into<String>, fields: Vec<(&'static str, String)>, told: Told) -> Option<Self> {
        let may = user.is_officer() || (user.is_school() && user.org == school);
        (may && !school.is_empty()).then(|| Self { action: action.into(), fields, counts: user.is_officer(), school: school.to_owned(), told })
    }
}

/// The workbook, or, where it was refused, who looks and what is told at the form.
pub async fn give(desk: Desk, asked: Asked, purpose: String) -> Result<Result<Response, (Desk, Told)>, PageError> {
    let metadata = desk.request(()).metadata().clone();
    match takeouts::give(&desk.gateway.upstreams, metadata, asked).await {
        Ok(workbook) => Ok(Ok(workbook)),
        Err(status) if status.code() == Code::InvalidArgument => Ok(Err((desk, Told { purpose, error: in_chinese(status.message()) }))),
        Err(status) => Err(status.into()),
    }
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
