//! 名单统计: who stands on the lists of a term, counted by one thing at a time, of a region or of a school.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::Query,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::aid::{GetListNumbersRequest, ListNumber, ListSchemesRequest, TakeOutListNumbersRequest, list_number::By};

use super::{
    Desk, PageError, lists, render, show,
    takeouts::{Offer, give},
};
use crate::{
    Gateway,
    parts::{Cell, Chart, Field, Form, Row, Table, chart::Bars, field::Choice},
    takeouts::Asked,
};

/// Groups that are drawn; the table holds all.
const DRAWN: usize = 20;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/numbers", get(page)).route("/numbers/takeOut", post(take_out))
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

#[derive(Template)]
#[template(path = "numbers.html")]
struct Page {
    desk: Desk,
    title: String,
    date: String,
    narrow: Form,
    chart: Chart,
    takeout: Offer,
}

async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let by = By::from_str_name(&asks.by).filter(|by| *by != By::Unspecified).unwrap_or(By::Grade);
    let own = if desk.user.is_school() { desk.user.org.clone() } else { asks.school };
    let asked = GetListNumbersRequest { school: own.clone(), region: asks.region.clone(), term: asks.term, scheme: asks.scheme.clone(), by: by.into() };
    let told = desk.overviews().get_list_numbers(desk.request(asked)).await?.into_inner();
    let schemes = desk.policies().list_schemes(desk.request(ListSchemesRequest {})).await?.into_inner().schemes;
    let schemes = schemes.iter().map(|scheme| Choice::of(&scheme.scheme_code, &scheme.scheme_name));
    let word = told.ways.iter().find(|way| way.by() == by).map_or("", |way| way.name.as_str());
    let narrow = Form::narrow(&desk, "narrow", "/numbers")
        .with(Field::kept("region", &asks.region))
        .with(Field::kept("school", if desk.user.is_school() { "" } else { &own }))
        .with(Field::choice("term", lists::past_terms(&desk)).value(&told.term))
        .with(Field::narrows("scheme", schemes).value(&asks.scheme))
        .with(Field::choice("by", told.ways.iter().map(|way| Choice::of(way.by().as_str_name(), &way.name))).called("按什么统计").value(by.as_str_name()))
        .plain("查看", "");
    let place = if told.place_name.is_empty() { "全部地区".to_owned() } else { told.place_name.clone() };
    let title = format!("{place} {}", show::term(&told.term));
    let stamp = format!("名单统计 · {title} · 按{word} · {} {}打印", told.civil_date, desk.user.name);
    let narrowed = [
        ("school", if desk.user.is_school() { String::new() } else { own.clone() }),
        ("region", asks.region),
        ("term", told.term.clone()),
        ("scheme", asks.scheme),
        ("by", by.as_str_name().to_owned()),
    ];
    let narrowed = narrowed.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let place = if own.is_empty() { &desk.user.org } else { &own };
    let takeout = Offer::of_numbers(&desk, place, "/numbers/takeOut", narrowed);
    let page = Page { takeout, chart: chart(word, (&told.numbers, &told.sum.clone().unwrap_or_default()), stamp), title, date: told.civil_date, narrow, desk };
    Ok(render(&page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TakeOutForm {
    purpose: String,
    school: String,
    region: String,
    term: String,
    scheme: String,
    by: String,
}

async fn take_out(desk: Desk, Sent(sent): Sent<TakeOutForm>) -> Result<Response, PageError> {
    let TakeOutForm { purpose, school, region, term, scheme, by } = sent;
    let school = if desk.user.is_school() { desk.user.org.clone() } else { school };
    let by = By::from_str_name(&by).unwrap_or_default().into();
    give(&desk, Asked::ListNumbers(TakeOutListNumbersRequest { school, region, purpose, term, scheme, by })).await
}

fn row(name: Cell, number: &ListNumber) -> Row {
    let counts = [number.listed, number.approved, number.held, number.units].map(Cell::number);
    counts.into_iter().chain([Cell::yuan(number.fen)]).fold(Row::of([name]), |row, cell| row.and_if(true, || cell))
}

fn chart(word: &str, (numbers, sum): (&[ListNumber], &ListNumber), stamp: String) -> Chart {
    let mut rows: Vec<Row> = numbers.iter().map(|number| row(Cell::from(&number.name), number)).collect();
    if numbers.len() > 1 {
        rows.push(row(Cell::text("合计"), sum));
    }
    let table = Table::of("名单统计").column(word).numbers(["名单（人次）", "已审核（人次）", "暂缓（人次）", "已审核（月或学期）", "已审核（元）"]);
    let table = table.rows(rows).empty("这个学期还没有提交过名单。").printed(stamp);
    let groups =
        numbers.iter().take(DRAWN).map(|number| (number.name.clone(), vec![f64::from(number.listed), f64::from(number.approved), f64::from(number.held)]));
    Chart::of(&Bars { title: format!("按{word}"), unit: "人次", series: vec!["名单", "已审核", "暂缓"], groups: groups.collect() }, table)
}
