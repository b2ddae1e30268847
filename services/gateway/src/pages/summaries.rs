//! 学期汇总表: what a department's schools were approved in a term; submitted by its officer, signed by its head, read by finance.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{Path, Query},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::aid::{
    CostShare, GetSummaryRequest, ListSummariesRequest, PreviewSummaryRequest, SubmitSummaryRequest, SummaryLine, TakeOutSummaryRequest, TermSummary,
    term_summary::State,
};

use super::{
    Desk, PageError,
    dossiers::Keeper,
    lists, render, show,
    takeouts::{Offer, give},
};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Note, Row, Table, Tone},
    takeouts::Asked,
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/summaries", get(index).post(submit)).route("/summaries/{summary}", get(one)).route("/summaries/{summary}/takeOut", post(take_out))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    term: String,
}

fn path(summary: &str) -> String {
    format!("/summaries/{summary}")
}

fn mark(state: State) -> Cell {
    match state {
        State::Unspecified => Cell::mark(Tone::Plain, "未提交"),
        State::Submitted => Cell::mark(Tone::Wait, "待负责人签字"),
        State::Signed => Cell::mark(Tone::Good, "已签字"),
        State::Dropped => Cell::mark(Tone::Plain, "已退回或撤回"),
    }
}

fn by_on(name: &str, date: &str) -> Cell {
    if name.is_empty() { Cell::text("") } else { Cell::from(name).beside(date) }
}

#[derive(Template)]
#[template(path = "summaries/index.html")]
struct Index {
    desk: Desk,
    title: String,
    narrow: Form,
    notes: Vec<Note>,
    table: Table,
    /// What the caller's department would submit now.
    now: Option<Table>,
    submit: Option<Form>,
}

async fn index(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = ListSummariesRequest { region: String::new(), term: asks.term };
    let told = desk.summaries().list_summaries(desk.request(asked)).await?.into_inner();
    let asked = PreviewSummaryRequest { region: String::new(), term: told.term.clone() };
    let preview = desk.summaries().preview_summary(desk.request(asked)).await?.into_inner().summary.unwrap_or_default();
    let narrow = Form::narrow(&desk, "narrow", "/summaries").with(Field::choice("term", lists::past_terms(&desk)).value(&told.term)).plain("查看", "");
    let waits = told.summaries.iter().any(|summary| summary.authority == desk.user.org && summary.state() == State::Submitted);
    let was_signed = !preview.before.is_empty();
    let signed = was_signed && preview.lines.iter().all(|line| line.fen == line.before_fen);
    // Where everything was taken back, a summary of nothing says so.
    let submits = desk.user.decides_aid() && !waits && !signed && (preview.entries > 0 || was_signed);
    let submit = submits.then(|| {
        let says = format!("提交{}汇总表：{} 人次，{} 元。", show::term(&told.term), preview.entries, show::yuan(&preview.fen));
        Form::of::<SubmitSummaryRequest>(&desk, "submit", "/summaries")
            .inline()
            .hidden("term", &told.term)
            .hidden("digest", &preview.digest)
            .button("提交负责人签字")
            .asks(says)
    });
    let page = Index {
        title: show::term(&told.term),
        notes: notes(&told.without, &preview, signed),
        table: departments(&told.summaries),
        now: (!preview.lines.is_empty()).then(|| lines("现在的数", &preview, true)),
        narrow,
        submit,
        desk,
    };
    Ok(render(&page))
}

fn notes(without: &[String], preview: &TermSummary, signed: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    if !without.is_empty() {
        notes.push(Note::of(Tone::Wait, format!("有审核通过的名单、还没有签字的汇总表：{}。", without.join("、"))));
    }
    if signed {
        notes.push(Note::of(Tone::Good, "现在的数与本部门已签字的汇总表一致。"));
    } else if !preview.before.is_empty() && preview.difference_fen != 0 {
        let amount = show::yuan(&preview.difference_fen);
        notes.push(Note::of(Tone::Wait, format!("签字以后审核结果有变化，相差 {amount} 元：需要重新汇总、签字。")));
    }
    notes
}

fn departments(summaries: &[TermSummary]) -> Table {
    let row = |summary: &TermSummary| {
        Row::of([
            Cell::link(path(&summary.summary), format!("{}（第{}份）", summary.authority_name, summary.number)),
            mark(summary.state()).beside(summary.reason.as_str()),
            Cell::number(summary.entries),
            Cell::yuan(summary.fen),
            by_on(&summary.submitted_by, &summary.submit_date),
            by_on(&summary.signed_by, &summary.sign_date),
        ])
    };
    let table = Table::of("汇总表").columns(["主管部门", "状态"]).numbers(["人次", "金额（元）"]).columns(["提交", "签字"]);
    table.rows(summaries.iter().map(row)).empty("这个学期还没有汇总表。")
}

fn elsewhere(line: &SummaryLine) -> String {
    if line.signed_elsewhere.is_empty() { String::new() } else { format!("本学期已由{}签过，拨款请核对", line.signed_elsewhere) }
}

/// School by school, and scheme by scheme, with what they come to.
fn lines(title: &str, summary: &TermSummary, now: bool) -> Table {
    let compared = !summary.before.is_empty();
    let shared = |shares: &[CostShare]| -> Vec<(bool, Cell)> {
        let of = |level: &CostShare| shares.iter().find(|share| share.level == level.level).map_or_else(Cell::default, |share| Cell::yuan(share.fen));
        summary.shares.iter().map(|level| (true, of(level))).collect()
    };
    let numbers = |[entries, not_payable, undecided, units]: [i32; 4], fen: i64, before: i64| {
        [
            (true, Cell::number(entries)),
            (true, Cell::number(units)),
            (true, Cell::yuan(fen)),
            (compared, Cell::yuan(before)),
            (compared, Cell::yuan(fen - before)),
        ]
        .into_iter()
        .chain([(now, Cell::number(not_payable)), (now, Cell::number(undecided))])
    };
    let filled = |row: Row, cells: &mut dyn Iterator<Item = (bool, Cell)>| cells.fold(row, |row, (is_there, cell)| row.and_if(is_there, || cell));
    let row = |line: &SummaryLine| {
        let start = Row::of([Cell::from(&line.school_name).beside(line.school.as_str()).beside(elsewhere(line)), Cell::from(&line.scheme_name)]);
        let counts = numbers([line.entries, line.not_payable, line.undecided, line.units], line.fen, line.before_fen);
        filled(start, &mut counts.chain(shared(&line.shares)))
    };
    let mut rows: Vec<Row> = summary.lines.iter().map(row).collect();
    if rows.len() > 1 {
        let sum = |of: fn(&SummaryLine) -> i32| summary.lines.iter().map(of).sum();
        let counts = [summary.entries, sum(|line| line.not_payable), sum(|line| line.undecided), sum(|line| line.units)];
        let before = summary.lines.iter().map(|line| line.before_fen).sum();
        rows.push(filled(Row::of([Cell::text("合计"), Cell::text("")]), &mut numbers(counts, summary.fen, before).chain(shared(&summary.shares))));
    }
    let table = Table::of(title).columns(["学校", "项目"]).numbers(["人数", "月或学期数", "金额（元）"]);
    let table = if compared { table.numbers(["上一份签字的（元）", "相差（元）"]) } else { table };
    let table = if now { table.numbers(["暂不能发放", "待签核或审核"]) } else { table };
    let table = summary.shares.iter().fold(table, |table, share| table.number(&format!("{}负担（元）", share.level)));
    table.rows(rows).empty("没有审核通过的。")
}

#[derive(Template)]
#[template(path = "summaries/one.html")]
struct One {
    desk: Desk,
    told: TermSummary,
    title: String,
    state: Cell,
    notes: Vec<Note>,
    table: Table,
    takeout: Offer,
}

async fn one(desk: Desk, Path(summary): Path<String>) -> Result<Response, PageError> {
    let told = desk.summaries().get_summary(desk.request(GetSummaryRequest { summary: summary.clone() })).await?.into_inner().summary.unwrap_or_default();
    let title = format!("{} {}（第{}份）", told.authority_name, show::term(&told.term), told.number);
    let mut notes = Vec::new();
    if !told.reason.is_empty() {
        notes.push(Note::of(Tone::Bad, format!("被退回：{}", told.reason)));
    }
    if told.state() == State::Submitted {
        notes.push(Note::of(Tone::Wait, "负责人还没有签字：签字以前不作为拨款依据。"));
    } else if told.state() == State::Dropped {
        notes.push(Note::of(Tone::Bad, "这一份没有签字，不作为拨款依据。"));
    }
    if desk.user.reads_school() {
        notes.push(Note::of(Tone::Plain, "签字、退回和撤回在业务单上办理。").way(Keeper::Aid.link(&told.dossier), "打开业务单"));
    }
    let stamp = format!("学期汇总表 · {title} · 摘要 {} · {}打印", told.digest, desk.user.name);
    let page = One {
        takeout: Offer::of_numbers(&desk, &told.authority, format!("{}/takeOut", path(&summary)), Vec::new()),
        table: lines("汇总表", &told, false).printed(stamp),
        state: mark(told.state()),
        title,
        notes,
        told,
        desk,
    };
    Ok(render(&page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubmitForm {
    request_id: String,
    term: String,
    digest: String,
}

async fn submit(desk: Desk, Sent(sent): Sent<SubmitForm>) -> Result<Response, PageError> {
    let asked = SubmitSummaryRequest { term: sent.term.clone(), digest: sent.digest };
    desk.summaries().submit_summary(desk.change(&sent.request_id, asked)).await?;
    Ok(desk.done("已提交负责人签字。", Address::of("/summaries").with("term", sent.term)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TakeOutForm {
    purpose: String,
}

async fn take_out(desk: Desk, Path(summary): Path<String>, Sent(sent): Sent<TakeOutForm>) -> Result<Response, PageError> {
    give(&desk, Asked::Summary(TakeOutSummaryRequest { summary, purpose: sent.purpose })).await
}
