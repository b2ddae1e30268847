//! 检查表: what there should be at a school, by grade, on one sheet, with room for what was counted on the spot.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, Query},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use xuezhu_proto::aid::{GetInspectionSheetRequest, GetInspectionSheetResponse, InspectionList, InspectionRow};

use super::{Desk, PageError, lists, render, show};
use crate::{
    Gateway,
    parts::{Cell, Field, Form, Row, Table},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}/inspection", get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    term: String,
}

#[derive(Template)]
#[template(path = "inspection.html")]
struct Page {
    desk: Desk,
    told: GetInspectionSheetResponse,
    term: String,
    narrow: Form,
    table: Table,
}

async fn page(desk: Desk, Path(school): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = GetInspectionSheetRequest { school: school.clone(), term: asks.term };
    let told = desk.overviews().get_inspection_sheet(desk.request(asked)).await?.into_inner();
    let narrow = Form::narrow(&desk, "narrow", format!("/schools/{school}/inspection"))
        .with(Field::choice("term", lists::past_terms(&desk)).value(&told.term))
        .plain("查看", "");
    let table = table(&told).printed(format!("{} · 检查表 · {} · {} {}打印", told.school_name, show::term(&told.term), told.civil_date, desk.user.name));
    Ok(render(&Page { desk, term: show::term(&told.term), told, narrow, table }))
}

fn table(told: &GetInspectionSheetResponse) -> Table {
    let table = Table::of("检查表").column("年级").numbers(["在校", "休学"]);
    let table = told.scheme_names.iter().fold(table, |table, name| table.number(&format!("{name}名单")).number("已审核").number("暂缓"));
    let row = |name: String, row: &InspectionRow| {
        let counts = row.lists.iter().flat_map(|list| [list.listed, list.approved, list.held]);
        let cells = [row.students, row.on_leave].into_iter().chain(counts).map(Cell::number);
        // Room for what is counted on the spot.
        let cells = cells.chain([Cell::text("　　　　"), Cell::text("　　　　　　")]);
        cells.fold(Row::of([Cell::text(name)]), |row, cell| row.and_if(true, || cell))
    };
    let named = |one: &InspectionRow| if one.entry_year == 0 { "本校学籍中没有".to_owned() } else { format!("{}级", one.entry_year) };
    let mut rows: Vec<Row> = told.rows.iter().map(|one| row(named(one), one)).collect();
    if !rows.is_empty() {
        rows.push(row("合计".to_owned(), &sum(told)));
    }
    table.columns(["现场清点", "说明"]).rows(rows).empty("该校还没有学生，也没有名单。")
}

fn sum(told: &GetInspectionSheetResponse) -> InspectionRow {
    let blank = InspectionRow { lists: vec![InspectionList::default(); told.scheme_names.len()], ..Default::default() };
    told.rows.iter().fold(blank, |mut sum, row| {
        sum.students += row.students;
        sum.on_leave += row.on_leave;
        for (sum, list) in sum.lists.iter_mut().zip(&row.lists) {
            sum.listed += list.listed;
            sum.approved += list.approved;
            sum.held += list.held;
        }
        sum
    })
}
