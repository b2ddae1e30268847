//! Who is eligible, and why: each student judged by the roll and the policy that holds.

use askama::Template;
use axum::{extract::Path, response::Response};
use xuezhu_proto::aid::{AwardList, Candidate, GetAwardListRequest, ProposeAwardsRequest};

use super::path;
use crate::{
    pages::{Desk, PageError, render, show},
    parts::{Cell, Form, Note, Row, Table, Tone},
};

#[derive(Template)]
#[template(path = "lists/candidates.html")]
struct CandidatesPage {
    desk: Desk,
    list: AwardList,
    note: Option<Note>,
    propose: Option<Form>,
    /// Title and table of each part.
    parts: Vec<(String, Table)>,
}

/// Who is proposed, who is not, who is on the list.
pub async fn page(desk: Desk, Path((school, list)): Path<(String, String)>) -> Result<Response, PageError> {
    let asked = ProposeAwardsRequest { school: school.clone(), list: list.clone(), preview: true };
    let answer = desk.awards().propose_awards(desk.request(asked)).await?.into_inner();
    let (listed, rest): (Vec<_>, Vec<_>) = answer.candidates.into_iter().partition(|candidate| candidate.listed);
    let (proposed, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|candidate| candidate.proposed);
    let list = desk.awards().get_award_list(desk.request(GetAwardListRequest { school, list })).await?.into_inner().list.unwrap_or_default();
    let some = !proposed.is_empty();
    let note = (some && list.closed_to_new).then(|| Note::of(Tone::Plain, "名单已经提交过：这些学生请列入补充名单。").way("/lists", "新建补充名单"));
    let propose = (some && !list.closed_to_new && desk.user.is_clerk()).then(|| {
        let word = format!("全部列入名单（{} 人）", proposed.len());
        Form::of::<ProposeAwardsRequest>(&desk, "propose", path(&list)).act(word, "propose").asks(format!("列入建议的 {} 人。", proposed.len()))
    });
    let parts = vec![
        (format!("建议列入（{}）", proposed.len()), proposals(&proposed)),
        (format!("不建议列入（{}）", others.len()), table("不建议列入", &others, "没有。")),
        (format!("已在名单上（{}）", listed.len()), table("已在名单上", &listed, "没有。")),
    ];
    Ok(render(&CandidatesPage { desk, list, note, propose, parts }))
}

fn start(row: &Candidate) -> [Cell; 4] {
    let tone = if row.proposed { Tone::Good } else { Tone::Plain };
    let name = Cell::link(format!("/students/{}", row.person), row.name.as_str());
    [name, Cell::from(&row.class_name), Cell::from(&row.major_name), Cell::mark(tone, row.message.as_str())]
}

fn proposals(rows: &[Candidate]) -> Table {
    let row = |row: &Candidate| Row::of(start(row)).and_if(true, || Cell::text(show::months(&row.months))).and_if(true, || Cell::yuan(row.amount_fen));
    let table = Table::of("建议列入").columns(["姓名", "班级", "专业", "原因", "月份"]).number("金额（元）").rows(rows.iter().map(row));
    table.empty("按现有数据没有可以再列入的学生。")
}

fn table(caption: &str, rows: &[Candidate], empty: &str) -> Table {
    Table::of(caption).columns(["姓名", "班级", "专业", "原因"]).rows(rows.iter().map(|row| Row::of(start(row)))).empty(empty)
}
