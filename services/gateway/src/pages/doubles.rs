//! Months that were approved twice before that was refused.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use xuezhu_proto::aid::{DoubleUnit, ListDoubleUnitsRequest, award_unit};

use super::{Desk, PageError, render, show};
use crate::{
    Gateway,
    parts::{Address, Cell, Place, Row, Table, place::Way},
};

/// Units on a page.
const ROWS: i32 = 50;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/double", get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    page: String,
    at: i64,
}

#[derive(Template)]
#[template(path = "double.html")]
struct DoublesPage {
    desk: Desk,
    units: Table,
}

fn row(unit: &DoubleUnit) -> Row {
    let covers = if unit.kind() == award_unit::Kind::Month { show::months(&[unit.first_month]) } else { show::term(&unit.term) };
    let list = |school: &str, list: &str, text: String| Cell::link(format!("/schools/{school}/lists/{list}"), text);
    Row::of([
        Cell::from(&unit.school_name),
        Cell::from(&unit.name),
        Cell::from(&unit.scheme_name),
        Cell::from(covers),
        Cell::yuan(unit.fen),
        list(&unit.school, &unit.list, show::term(&unit.term)),
        if unit.standing_list.is_empty() {
            Cell::text("其他学校的名单")
        } else {
            list(&unit.standing_school, &unit.standing_list, unit.standing_school_name.clone())
        },
    ])
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    let asked = ListDoubleUnitsRequest { school: String::new(), page_size: ROWS, page_token: query.page };
    let answer = desk.awards().list_double_units(desk.request(asked)).await?.into_inner();
    let place = Place::uncounted(answer.units.len(), "条", query.at).way_on(&Way::Link(Address::of("/double")), &answer.next_page_token);
    let units = Table::of("重复审核的月份")
        .columns(["学校", "姓名", "项目", "月份（学期）"])
        .number("金额（元）")
        .columns(["重复的名单", "有效的名单"])
        .rows(answer.units.iter().map(row))
        .empty("没有重复审核的月份。")
        .empty_way("/lists", "回到资助名单")
        .place(place);
    Ok(render(&DoublesPage { desk, units }))
}
