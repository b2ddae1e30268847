//! 统计: how a region stands. Each number opens what it counts.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use xuezhu_domain::Term;
use xuezhu_proto::aid::{FlagAges, GetOverviewRequest, GetOverviewResponse, GradeCount, HeldMonth, OverviewPlace, OverviewStep};

use super::{Desk, PageError, render, show};
use crate::{
    Gateway,
    parts::{Address, Cell, Chart, Field, Figure, Figures, Form, Row, Table, Tone, chart::Bars, field::Choice},
};

/// Months that are drawn; the table holds all.
const MONTHS: usize = 18;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/overview", get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    region: String,
    term: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    desk: Desk,
    told: GetOverviewResponse,
    narrow: Form,
    up: Option<(Address, String)>,
    figures: Figures,
    places: Table,
    grades: Chart,
    held: Chart,
    flags: Table,
}

async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = GetOverviewRequest { region: asks.region.clone(), term: asks.term.clone() };
    let told = desk.overviews().get_overview(desk.request(asked)).await?.into_inner();
    let narrow = Form::narrow(&desk, "narrow", "/overview")
        .with(Field::kept("region", &told.region))
        .with(Field::choice("term", terms(&desk)).value(&told.term))
        .plain("查看", "");
    let page = OverviewPage {
        narrow,
        up: above(&desk, &told),
        figures: figures(&told),
        places: places(&told),
        grades: grades(&told.grades),
        held: held(&told.held),
        flags: flags(&told.flags, told.region == desk.user.org),
        told,
        desk,
    };
    Ok(render(&page))
}

/// The next term, this one and those of two years before.
fn terms(desk: &Desk) -> Vec<Choice> {
    let terms = std::iter::successors(Some(Term::of(desk.civil_day()).next()), |term| Some(term.before())).take(6);
    terms.map(|term| Choice::of(term.to_string(), term.name())).collect()
}

/// The region above, where it is still the caller's.
fn above(desk: &Desk, told: &GetOverviewResponse) -> Option<(Address, String)> {
    if told.region == desk.user.org || told.region.len() != 6 {
        return None;
    }
    let code = if told.region.ends_with("00") { format!("{}0000", &told.region[..2]) } else { format!("{}00", &told.region[..4]) };
    let code = if xuezhu_service::permission::covers(&desk.user.org, &code) { code } else { desk.user.org.clone() };
    let name = xuezhu_domain::region::full_name(&code);
    Some((Address::of("/overview").with("region", code).with("term", told.term.as_str()), if name.is_empty() { "全部".to_owned() } else { name }))
}

fn waiting(step: Option<&OverviewStep>) -> (i32, i32) {
    step.map_or((0, 0), |step| (step.waiting, step.days_overdue))
}

fn figures(told: &GetOverviewResponse) -> Figures {
    let sum = |of: fn(&OverviewPlace) -> i64| told.places.iter().map(of).sum::<i64>();
    let all = |of: fn(&OverviewPlace) -> i32| told.places.iter().map(|place| i64::from(of(place))).sum::<i64>();
    let flags = all(|place| place.flags);
    Figures(vec![
        Figure::count(all(|place| place.schools), "学校").formula("主管部门在本区域内的学校"),
        Figure::count(all(|place| place.students), "在校学生").formula("今日在读和休学的，按已批准的学籍"),
        Figure::count(all(|place| place.approved), "已审核人次").tone(Tone::Good).formula("本学期各名单中审核通过的"),
        Figure::yuan(sum(|place| place.approved_fen), "已审核金额（元）").tone(Tone::Good).formula("更正和重复月份之后"),
        Figure::count(flags, "未关闭的疑点").tone_if(flags > 0, Tone::Bad).formula("各学期待说明、待核定和已认定的"),
        Figure::yuan(sum(|place| place.held_fen), "暂缓金额（元）").formula("各学期有疑点的学生全部所列月份"),
    ])
}

/// What waits, told by how late it is.
fn heat(step: Option<&OverviewStep>) -> Cell {
    let (count, late) = waiting(step);
    match (count, late) {
        (0, _) => Cell::number(0),
        (count, 0) => Cell::mark(Tone::Wait, show::grouped(count.into())),
        (count, late) => Cell::mark(Tone::Bad, show::grouped(count.into())).beside(format!("逾期 {late} 天")),
    }
}

fn places(told: &GetOverviewResponse) -> Table {
    let of_schools = told.places.first().is_some_and(|place| place.is_school);
    let row = |place: &OverviewPlace| {
        let to = if place.is_school {
            Address::of("/students").with("school", place.code.as_str())
        } else {
            Address::of("/overview").with("region", place.code.as_str()).with("term", told.term.as_str())
        };
        let schools = match (place.is_school, place.without_list) {
            (true, 0) => Cell::default(),
            (true, _) => Cell::mark(Tone::Wait, "无名单"),
            (false, 0) => Cell::number(place.schools),
            (false, without) => Cell::number(place.schools).beside(format!("{without} 所无名单")),
        };
        let flags = if place.flags > 0 { Cell::mark(Tone::Bad, show::grouped(place.flags.into())) } else { Cell::number(0) };
        let cells = [
            schools,
            Cell::number(place.students),
            heat(place.clerk.as_ref()),
            heat(place.principal.as_ref()),
            heat(place.department.as_ref()),
            heat(place.above.as_ref()),
            Cell::number(place.approved),
            Cell::yuan(place.approved_fen),
            flags,
            Cell::yuan(place.held_fen),
        ];
        let row = cells.into_iter().fold(Row::of([Cell::link(to, place.name.as_str())]), |row, cell| row.and_if(true, || cell));
        let sheet = || Address::of(format!("/schools/{}/inspection", place.code)).with("term", told.term.as_str());
        row.and_if(of_schools, || if place.is_school { Cell::link(sheet(), "检查表") } else { Cell::default() })
    };
    let columns = ["在校学生", "学校经办人", "学校审签", "主管部门", "上级部门", "已审核", "已审核金额（元）", "疑点", "暂缓金额（元）"];
    Table::of("各地各校进度")
        .column(if of_schools { "学校" } else { "地区" })
        .number(if of_schools { "名单" } else { "学校" })
        .numbers(columns)
        .column_if(of_schools, "检查")
        .rows(told.places.iter().map(row))
        .empty("本区域内没有学校。")
}

fn grades(grades: &[GradeCount]) -> Chart {
    let name = |grade: &GradeCount| format!("{}级", grade.entry_year);
    let row = |grade: &GradeCount| Row::of([Cell::text(name(grade)), Cell::number(grade.students), Cell::number(grade.grant), Cell::number(grade.waiver)]);
    let table =
        Table::of("各年级人数").column("年级").numbers(["在校学生", "国家助学金", "免学费"]).rows(grades.iter().map(row)).narrow().empty("还没有学生。");
    let numbers = |grade: &GradeCount| vec![f64::from(grade.students), f64::from(grade.grant), f64::from(grade.waiver)];
    let groups = grades.iter().rev().map(|grade| (name(grade), numbers(grade))).collect();
    Chart::of(&Bars { title: "各年级在校人数与受助人数".into(), unit: "人", series: vec!["在校学生", "国家助学金", "免学费"], groups }, table)
}

fn held(months: &[HeldMonth]) -> Chart {
    let row = |held: &HeldMonth| Row::of([Cell::text(show::whole_month(held.month)), Cell::yuan(held.fen)]);
    let table = Table::of("暂缓金额").column("月份").number("暂缓金额（元）").rows(months.iter().rev().map(row)).narrow().empty("没有暂缓的金额。");
    let last = &months[months.len().saturating_sub(MONTHS)..];
    #[expect(clippy::cast_precision_loss, reason = "a bar is no sum: the table tells it")]
    let groups = last.iter().map(|held| (format!("{}.{}", held.month / 100 % 100, held.month % 100), vec![held.fen as f64 / 100.0])).collect();
    Chart::of(&Bars { title: "各月暂缓金额".into(), unit: "元", series: vec!["暂缓金额"], groups }, table)
}

fn flags(flags: &[FlagAges], is_own: bool) -> Table {
    let row = |ages: &FlagAges| {
        let old = if ages.older > 0 { Cell::mark(Tone::Bad, show::grouped(ages.older.into())) } else { Cell::number(0) };
        Row::of([
            // The page of flags is of all that one may see, not of a part of it.
            if is_own { Cell::link(Address::of("/flags").with("rule", ages.rule.as_str()), ages.rule_name.as_str()) } else { Cell::from(&ages.rule_name) },
            Cell::number(ages.within_10),
            Cell::number(ages.within_30),
            Cell::number(ages.within_90),
            old,
            Cell::yuan(ages.amount_fen),
        ])
    };
    let table = Table::of("疑点按规则和时间").column("规则").numbers(["10天内", "11–30天", "31–90天", "90天以上", "涉及金额（元）"]);
    table.rows(flags.iter().map(row)).empty("没有未关闭的疑点。")
}
