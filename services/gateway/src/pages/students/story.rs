//! One student's story: enrollment and aid on one axis.

use askama::Template;
use axum::{extract::Path, response::Response};
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_proto::aid::{Flag, FoundEnrollment, GetStoryRequest, GetStoryResponse, StoryAward};

use crate::{
    pages::{Desk, PageError, render, show},
    parts::{Axis, Cell, Row, Table, Tone, strip::Month},
};

#[derive(Template)]
#[template(path = "students/story.html")]
struct StoryPage {
    desk: Desk,
    story: GetStoryResponse,
    axis: Option<Axis>,
    awards: Table,
    flags: Table,
}

/// The story.
pub async fn page(desk: Desk, Path(person): Path<String>) -> Result<Response, PageError> {
    let story = desk.reconciliation().get_story(desk.request(GetStoryRequest { person })).await?.into_inner();
    let months = axis(&story, desk.mirror.as_ref().map_or("", |mirror| mirror.civil_date.as_str()));
    let axis = (!months.is_empty()).then(|| Axis { lanes: vec!["学籍", "资助"], months });
    let (awards, flags) = (awards(&story), flags(&story));
    Ok(render(&StoryPage { desk, story, axis, awards, flags }))
}

fn awards(story: &GetStoryResponse) -> Table {
    let row = |award: &StoryAward| {
        let held = if award.held { Cell::mark(Tone::Bad, "暂缓") } else { Cell::default() };
        let list = format!("/schools/{}/lists/{}", award.school, award.list);
        Row::of([Cell::link(list, &award.scheme_name), Cell::text(show::months(&award.months)), Cell::yuan(award.amount_fen), held])
    };
    Table::of("资助").columns(["项目", "月份"]).number("金额（元）").column("状态").rows(story.awards.iter().map(row)).empty("没有列入任何名单。")
}

fn flags(story: &GetStoryResponse) -> Table {
    let row = |flag: &Flag| {
        Row::of([Cell::link(format!("/flags/{}", flag.flag), flag.rule_name.as_str()), Cell::text(show::months(&flag.months)), Cell::yuan(flag.amount_fen)])
    };
    Table::of("疑点").columns(["规则", "月份"]).number("金额（元）").rows(story.flags.iter().map(row)).empty("没有疑点。")
}

fn month_of(day: &str) -> Option<i32> {
    Some(day.get(..4)?.parse::<i32>().ok()? * 100 + day.get(5..7)?.parse::<i32>().ok()?)
}

fn next_month(month: i32) -> i32 {
    if month % 100 == 12 { month + 89 } else { month + 1 }
}

/// Both lanes on one axis: from the first period or award to today or the last award.
fn axis(story: &GetStoryResponse, today: &str) -> Vec<Month> {
    let starts = story.timeline.iter().flat_map(|place| &place.periods).filter_map(|period| month_of(&period.from));
    let awarded = story.awards.iter().flat_map(|award| award.months.iter().copied());
    let Some(first) = starts.chain(awarded.clone()).min() else { return Vec::new() };
    let last = awarded.chain(month_of(today)).max().unwrap_or(first);
    let (mut axis, mut month) = (Vec::new(), first);
    while month <= last && axis.len() < 96 {
        let places = story.timeline.iter().filter_map(|place| place_in(place, month)).collect();
        let awards = story
            .awards
            .iter()
            // What was taken by a correction is drawn no more.
            .filter(|award| award.standing_months.contains(&month))
            .map(|award| {
                let scheme = &award.scheme_name;
                if award.held_months.contains(&month) { ("bad", format!("{scheme}（暂缓）")) } else { ("good", scheme.to_owned()) }
            })
            .collect();
        axis.push(Month { month, lanes: vec![places, awards] });
        month = next_month(month);
    }
    axis
}

/// What a place is in a month: on its first day, or, where it begins in the month, then.
fn place_in(place: &FoundEnrollment, month: i32) -> Option<(&'static str, String)> {
    let (begin, end) = (format!("{:04}-{:02}-01", month / 100, month % 100), format!("{:04}-{:02}-01", next_month(month) / 100, next_month(month) % 100));
    let period = place
        .periods
        .iter()
        .find(|period| period.from <= begin && (period.to.is_empty() || period.to > begin))
        .or_else(|| place.periods.iter().find(|period| period.from >= begin && period.from < end))?;
    let class = match PeriodState::parse(&period.state) {
        PeriodState::InSchool => "good",
        PeriodState::OnLeave => "wait",
        PeriodState::Withdrawn | PeriodState::NeverCame | PeriodState::Unknown => "gone",
    };
    Some((class, format!("{}·{}", place.school_name, show::state(&period.state))))
}
