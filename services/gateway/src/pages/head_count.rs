//! 人数核对: how many students enrollment counted at a school, beside what aid holds of it.

use std::sync::Arc;

use askama::Template;
use axum::{Form as Sent, Router, extract::Path, response::Response, routing::get};
use serde::Deserialize;
use xuezhu_proto::{
    aid::{ComparedHeads, GetHeadCountRequest, HeadCount, head_count::Outcome},
    enrollment::CountHeadsRequest,
};

use super::{Desk, PageError, render, show};
use crate::{
    Gateway,
    parts::{Cell, Form, Note, Row, Table, Tone},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}/headCount", get(page).post(count))
}

#[derive(Template)]
#[template(path = "head_count.html")]
struct Page {
    desk: Desk,
    told: HeadCount,
    outcome: Cell,
    says: String,
    notes: Vec<Note>,
    table: Table,
    count: Option<Form>,
}

async fn page(desk: Desk, Path(school): Path<String>) -> Result<Response, PageError> {
    let asked = GetHeadCountRequest { school: school.clone() };
    let told = desk.head_counts().get_head_count(desk.request(asked)).await?.into_inner().head_count.unwrap_or_default();
    let says = match told.outcome() {
        Outcome::Unspecified => "学籍系统还没有清点过该校的人数，每晚清点一次。".to_owned(),
        _ => format!("学籍按 {} · 清点于 {}（变更序号 {}）", told.date, show::time(&told.count_time), told.position),
    };
    let may_count = desk.user.is_clerk() || desk.user.decides_enrollment_for(&told.authority);
    let count = may_count.then(|| Form::of::<CountHeadsRequest>(&desk, "count", format!("/schools/{school}/headCount")).button("现在重新清点"));
    Ok(render(&Page { outcome: outcome(&told), says, notes: notes(&told), table: table(&told.groups), count, told, desk }))
}

fn outcome(told: &HeadCount) -> Cell {
    match told.outcome() {
        Outcome::Unspecified => Cell::mark(Tone::Plain, "未清点"),
        Outcome::Agrees => Cell::mark(Tone::Good, "一致"),
        Outcome::Differs => Cell::mark(Tone::Bad, "不一致"),
        Outcome::ChangedSince => Cell::mark(Tone::Wait, "清点后有变动"),
        Outcome::Behind => Cell::mark(Tone::Wait, "数据还在传输"),
    }
}

fn notes(told: &HeadCount) -> Vec<Note> {
    let text = match told.outcome() {
        Outcome::Differs if told.lacks_records => Some((Tone::Bad, "资助系统收到的学籍记录比学籍系统发出的少，或者旧：请告知系统运行人员。")),
        Outcome::Differs => Some((Tone::Bad, "两边的数据停在同一时点而人数不同：重新清点后仍不一致的，请告知系统运行人员。")),
        Outcome::ChangedSince => Some((Tone::Wait, "清点以后该校学籍又有变动，下面的差别可能只是因为变动；重新清点后再比。")),
        Outcome::Behind => Some((Tone::Wait, "清点时的变更还没有全部传到资助系统，稍后刷新本页。")),
        Outcome::Agrees | Outcome::Unspecified => None,
    };
    text.map(|(tone, text)| Note::of(tone, text)).into_iter().collect()
}

/// Both counts, group by group.
pub(super) fn table(groups: &[ComparedHeads]) -> Table {
    let row = |title: [Cell; 2], group: &ComparedHeads| {
        let differs = (group.in_school, group.on_leave) != (group.aid_in_school, group.aid_on_leave);
        let mark = if differs { Cell::mark(Tone::Bad, "不一致") } else { Cell::mark(Tone::Good, "一致") };
        let counts = [group.in_school, group.on_leave, group.aid_in_school, group.aid_on_leave].map(Cell::number);
        counts.into_iter().chain([mark]).fold(Row::of(title), |row, cell| row.and_if(true, || cell))
    };
    let named = |group: &ComparedHeads| {
        let major = if group.major_name.is_empty() { "未填专业" } else { &group.major_name };
        [Cell::text(format!("{}级", group.entry_year)), Cell::text(major)]
    };
    let mut rows: Vec<Row> = groups.iter().map(|group| row(named(group), group)).collect();
    if rows.len() > 1 {
        let sum = |count: fn(&ComparedHeads) -> i32| groups.iter().map(count).sum();
        let all = ComparedHeads {
            in_school: sum(|group| group.in_school),
            on_leave: sum(|group| group.on_leave),
            aid_in_school: sum(|group| group.aid_in_school),
            aid_on_leave: sum(|group| group.aid_on_leave),
            ..ComparedHeads::default()
        };
        rows.push(row([Cell::text("合计"), Cell::text("")], &all));
    }
    let table = Table::of("人数核对").columns(["年级", "专业"]).numbers(["学籍：在校", "学籍：休学", "资助：在校", "资助：休学"]);
    table.column("核对").rows(rows).empty("两边都没有在籍的学生。")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Count {
    request_id: String,
}

async fn count(desk: Desk, Path(school): Path<String>, Sent(sent): Sent<Count>) -> Result<Response, PageError> {
    let asked = CountHeadsRequest { school: school.clone() };
    let counted = desk.head_counting().count_heads(desk.change(&sent.request_id, asked)).await?.into_inner().head_count.unwrap_or_default();
    let done = format!("学籍系统已清点：在校 {} 人，休学 {} 人。稍等片刻刷新，即可看到核对结果。", counted.in_school, counted.on_leave);
    Ok(desk.done(done, format!("/schools/{school}/headCount")))
}
