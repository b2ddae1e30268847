//! 名单统计: who stands on the lists of a term, counted by one thing at a time, of a region or of a school.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use xuezhu_proto::aid::{GetListNumbersRequest, ListNumber, ListSchemesRequest, list_number::By};

use super::{Desk, PageError, lists, render, show};
use crate::{
    Gateway,
    parts::{Cell, Chart, Field, Form, Row, Table, chart::Bars, field::Choice},
};

/// Groups that are drawn; the table holds all.
const DRAWN: usize = 20;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/numbers", get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    school: String,
    region: String,
    term: String,
    scheme: String,
    by: String,
}

/// By what can be counted, in words.
const BY: [(By, &str); 8] = [
    (By::Grade, "年级"),
    (By::School, "学校"),
    (By::Region, "主管部门"),
    (By::Scheme, "项目"),
    (By::Sex, "性别"),
    (By::Major, "专业类别"),
    (By::Address, "户口所在地"),
    (By::Level, "困难等级"),
];

#[derive(Template)]
#[template(path = "numbers.html")]
struct Page {
    desk: Desk,
    title: String,
    date: String,
    narrow: Form,
    chart: Chart,
}

async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let by = By::from_str_name(&asks.by).filter(|by| *by != By::Unspecified).unwrap_or(By::Grade);
    let own = if desk.user.is_school() { desk.user.org.clone() } else { asks.school };
    let asked = GetListNumbersRequest { school: own.clone(), region: asks.region.clone(), term: asks.term, scheme: asks.scheme.clone(), by: by.into() };
    let told = desk.overviews().get_list_numbers(desk.request(asked)).await?.into_inner();
    let schemes = desk.policies().list_schemes(desk.request(ListSchemesRequest {})).await?.into_inner().schemes;
    let schemes = schemes.iter().map(|scheme| Choice::of(&scheme.scheme_code, &scheme.scheme_name));
    let ways = BY.into_iter().filter(|(way, _)| own.is_empty() || !matches!(way, By::School | By::Region));
    let word = BY.into_iter().find(|(way, _)| *way == by).map_or("", |(_, word)| word);
    let narrow = Form::narrow(&desk, "narrow", "/numbers")
        .with(Field::kept("region", &asks.region))
        .with(Field::kept("school", if desk.user.is_school() { "" } else { &own }))
        .with(Field::choice("term", lists::past_terms(&desk)).value(&told.term))
        .with(Field::narrows("scheme", schemes).value(&asks.scheme))
        .with(Field::choice("by", ways.map(|(way, word)| Choice::of(way.as_str_name(), word))).called("按什么统计").value(by.as_str_name()))
        .plain("查看", "");
    let place = if told.place_name.is_empty() { "全部地区".to_owned() } else { told.place_name.clone() };
    let title = format!("{place} {}", show::term(&told.term));
    let stamp = format!("名单统计 · {title} · 按{word} · {} {}打印", told.civil_date, desk.user.name);
    let page = Page { chart: chart(word, &told.numbers, stamp), title, date: told.civil_date, narrow, desk };
    Ok(render(&page))
}

fn row(name: Cell, number: &ListNumber) -> Row {
    let counts = [number.listed, number.approved, number.held, number.units].map(Cell::number);
    counts.into_iter().chain([Cell::yuan(number.fen)]).fold(Row::of([name]), |row, cell| row.and_if(true, || cell))
}

fn chart(word: &str, numbers: &[ListNumber], stamp: String) -> Chart {
    let mut rows: Vec<Row> = numbers.iter().map(|number| row(Cell::from(&number.name), number)).collect();
    if numbers.len() > 1 {
        let sum = numbers.iter().fold(ListNumber::default(), |sum, number| ListNumber {
            listed: sum.listed + number.listed,
            approved: sum.approved + number.approved,
            held: sum.held + number.held,
            units: sum.units + number.units,
            fen: sum.fen + number.fen,
            ..sum
        });
        rows.push(row(Cell::text("合计"), &sum));
    }
    let table = Table::of("名单统计").column(word).numbers(["名单（人次）", "已审核（人次）", "暂缓（人次）", "已审核（月或学期）", "已审核（元）"]);
    let table = table.rows(rows).empty("这个学期还没有提交过名单。").printed(stamp);
    let groups =
        numbers.iter().take(DRAWN).map(|number| (number.name.clone(), vec![f64::from(number.listed), f64::from(number.approved), f64::from(number.held)]));
    Chart::of(&Bars { title: format!("按{word}"), unit: "人次", series: vec!["名单", "已审核", "暂缓"], groups: groups.collect() }, table)
}
