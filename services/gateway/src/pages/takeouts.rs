//! 导出: the form under a table that takes it out as a workbook, and the page of receipts.

use std::sync::Arc;

use askama::{Template, filters::HtmlSafe};
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    aid,
    common::TakeOut,
    enrollment::{self, ListSchoolsRequest},
};

use super::{Desk, PageError, dossiers::Keeper, render, show};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Place, Row, Table, Tone, field::Choice, place::Way},
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
    /// What the workbook holds.
    says: &'static str,
    /// Where what was taken out is told, for whoever may read it.
    receipts: Option<Address>,
}

impl HtmlSafe for Offer {}

impl Offer {
    /// For who looks at a table of a school, who may decide for its department what the table is of, with what narrows it; none for who may not take it out.
    pub fn of(desk: &Desk, decides: bool, school: &str, action: impl Into<String>, narrowed: Vec<(&'static str, String)>) -> Option<Self> {
        let user = &desk.user;
        let counts = decides || user.only_reads();
        let may = counts || (user.is_school() && user.reads_school() && user.org == school);
        if !may || school.is_empty() {
            return None;
        }
        let says = if counts {
            "只含按班级、状态等统计的数量，不含姓名。"
        } else {
            "证件号只留末位，不含电话、住址、家庭成员和银行卡；每页印有导出人、时间和用途，并留记录。"
        };
        let form = form(desk, action.into(), narrowed).plain(if counts { "导出统计" } else { "导出" }, "");
        Some(Self { form, says, receipts: Some(Address::of("/takeOuts").with("school", school)) })
    }

    /// For who looks at a table of numbers of a school or of a region.
    pub fn of_numbers(desk: &Desk, place: &str, action: impl Into<String>, narrowed: Vec<(&'static str, String)>) -> Self {
        let receipts = may_read(desk, place).then(|| Address::of("/takeOuts").with("keeper", Keeper::Aid.word()).with("school", place));
        let says = "与本页的数相同，不含个人信息；印有导出人、时间和用途，并留记录。";
        Self { form: form(desk, action.into(), narrowed).plain("导出", ""), says, receipts }
    }
}

fn form(desk: &Desk, action: String, narrowed: Vec<(&'static str, String)>) -> Form {
    let form = narrowed.into_iter().fold(Form::search(desk, "takeOut", action), |form, (name, value)| form.with(Field::kept(name, value)));
    form.with(Field::line("purpose").called("导出用途").required().limit(200).hint("如：开学统计"))
}

/// Whether somebody may read what was taken out of a school, or of their own region.
fn may_read(desk: &Desk, place: &str) -> bool {
    desk.user.reads_school() || (!desk.user.is_school() && desk.user.is_finance() && place == desk.user.org)
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
    at: i64,
}

#[derive(Template)]
#[template(path = "takeouts.html")]
struct TakeOutsPage {
    desk: Desk,
    narrow: Form,
    receipts: Table,
}

fn row(receipt: &TakeOut) -> Row {
    // What was taken out is somewhere, where it is something with a page.
    let what = if receipt.kind == "AWARD_LIST" {
        Cell::link(format!("/schools/{}/lists/{}", receipt.school, receipt.subject), &receipt.kind_name)
    } else {
        Cell::from(&receipt.kind_name)
    };
    Row::of([
        Cell::unbroken(show::time(&receipt.time)),
        Cell::from(format!("{}（{}）", receipt.account_name, receipt.account)),
        what.maybe(receipt.counts.then(|| Cell::mark(Tone::Plain, "只含统计"))).beside(&receipt.narrowed),
        Cell::from(&receipt.purpose),
        Cell::number(receipt.rows),
        Cell::from(&receipt.take_out),
    ])
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    let finance = desk.user.is_finance() && !desk.user.is_school();
    if !desk.user.reads_school() && !finance {
        return Err(PageError::Refused(Status::permission_denied("导出记录由学校和其主管部门查看")));
    }
    // Finance takes out numbers of its region, and nothing else.
    let keeper = Keeper::of(&query.keeper).filter(|_| !finance).unwrap_or(if finance { Keeper::Aid } else { Keeper::Enrollment });
    let schools = if desk.user.is_school() || finance {
        Vec::new()
    } else {
        desk.directory().list_schools(desk.request(ListSchoolsRequest { page_size: 1000, ..Default::default() })).await?.into_inner().schools
    };
    let school = match (desk.user.is_school(), query.school.is_empty()) {
        (true, _) => desk.user.org.clone(),
        (false, false) => query.school.clone(),
        (false, true) => schools.first().map_or_else(|| desk.user.org.clone(), |school| school.code.clone()),
    };
    let (mut rows, mut next) = (Vec::new(), String::new());
    // Of a region's numbers the aid service alone knows.
    let of_region = !desk.user.is_school() && school == desk.user.org;
    if !school.is_empty() && (!of_region || keeper == Keeper::Aid) {
        (rows, next) = receipts(&desk, keeper, school.clone(), query.page).await?;
    }
    let own = Choice::of(&desk.user.org, "本级的统计（不属于某一所学校）");
    let places = schools.iter().map(|school| Choice::of(&school.code, &school.name)).chain([own]);
    let schools = (!desk.user.is_school()).then(|| Field::choice("school", places).value(&school));
    let narrow = Form::narrow(&desk, "narrow", "/takeOuts")
        .with(Field::choice("keeper", Keeper::ALL.map(|keeper| Choice::of(keeper.word(), keeper.name()))).called("从哪里导出").value(keeper.word()))
        .maybe(schools)
        .button("查看");
    let way = Way::Link(Address::of("/takeOuts").with("keeper", keeper.word()).with("school", school));
    let receipts = Table::of("导出记录")
        .columns(["时间", "导出人", "内容", "用途"])
        .number("行数")
        .column("编号")
        .rows(rows.iter().map(row))
        .empty("还没有导出过：在学生、资助名单、疑点和业务单页面的表下可以导出。")
        .place(Place::uncounted(rows.len(), "条", query.at).way_on(&way, &next));
    Ok(render(&TakeOutsPage { desk, narrow, receipts }))
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
