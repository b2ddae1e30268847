//! Every file that was sent, with what became of it.

use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use xuezhu_proto::common::{ImportSummary, import_report::State};

use super::target::{Asked, Named, Target};
use crate::{
    pages::{Desk, PageError, render, show},
    parts::{Address, Cell, Field, Form, Note, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// States that are asked for, with their words.
const STATES: [(State, &str); 5] =
    [(State::Running, "进行中"), (State::Done, "办完（含预览）"), (State::Refused, "没有导入"), (State::Lost, "中断"), (State::TakenBack, "已撤回")];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ArchiveQuery {
    query: String,
    state: String,
    act: String,
    page: String,
    at: i64,
}

impl ArchiveQuery {
    fn narrows(&self) -> bool {
        !(self.query.is_empty() && self.state.is_empty() && self.act.is_empty())
    }
}

#[derive(Template)]
#[template(path = "imports.html")]
struct ArchivePage {
    desk: Desk,
    what: &'static str,
    again: String,
    /// Why a file that was sent just now was not taken.
    wrong: Option<Note>,
    find: Form,
    imports: Table,
}

fn state(row: &ImportSummary) -> Cell {
    let (tone, word) = match (row.state(), row.preview) {
        (State::Running, _) => (Tone::Wait, "进行中"),
        (State::Done | State::Unspecified, true) => (Tone::Plain, "预览，未写入"),
        (State::Done | State::Unspecified, false) => (Tone::Good, "办理完毕"),
        (State::Refused, _) => (Tone::Bad, "没有导入"),
        (State::Lost, _) => (Tone::Bad, "中断，未写入"),
        (State::TakenBack, _) => (Tone::Plain, "已撤回"),
    };
    Cell::mark(tone, word)
}

fn row<T: Target>(desk: &Desk, target: &T, row: &ImportSummary) -> Row {
    let name = if row.file_name.is_empty() { "（没有文件名）" } else { &row.file_name };
    let has_marks = row.file_kept && matches!(row.state(), State::Done | State::TakenBack | State::Unspecified) && target.is_of(&desk.user);
    Row::of([
        Cell::link(format!("{}/{}", target.imports(), row.import_id), name),
        Cell::unbroken(show::time(&row.time)),
        Cell::from(&row.account_name),
        state(row),
        if has_marks { Cell::link(target.marked(&row.import_id), "标注副本") } else { Cell::default() },
    ])
}

/// The page, with why a file that was sent just now was not taken.
pub(super) async fn view<T: Target>(desk: Desk, target: T, asked: ArchiveQuery, wrong: &str) -> Result<Response, PageError> {
    let narrows = asked.narrows();
    let ArchiveQuery { query, state, act, page, at } = asked;
    let preview = match act.as_str() {
        "preview" => Some(true),
        "write" => Some(false),
        _ => None,
    };
    let named = State::from_str_name(&state).unwrap_or_default();
    let (rows, next) = target.list(&desk, Asked { query: query.clone(), state: named, preview, page }).await?;
    let way = Way::Link(Address::of(target.imports()).with("query", &query).with("act", &act).with("state", &state));
    let place = Place::uncounted(rows.len(), "份", at).way_on(&way, &next);
    let imports = Table::of(format!("导入记录（{}）", T::WHAT))
        .columns(["文件", "时间", "经办", "结果"])
        .acts()
        .rows(rows.iter().map(|one| row(&desk, &target, one)))
        .place(place);
    let imports = if narrows {
        imports.empty("没有符合条件的导入。").empty_way(target.imports(), "全部导入")
    } else {
        imports.empty("还没有导入过文件。").empty_way(Address::of(target.again()), "上传文件")
    };
    let find = Form::narrow(&desk, "find", target.imports())
        .with(Field::line("query").called("文件名（写一部分即可）").limit(60).value(query))
        .with(Field::narrows("act", [Choice::of("write", "写入"), Choice::of("preview", "预览")]).called("内容").value(act))
        .with(Field::narrows("state", STATES.map(|(state, word)| Choice::of(state.as_str_name(), word))).value(state))
        .button("查找");
    Ok(render(&ArchivePage { what: T::WHAT, again: target.again(), wrong: Note::wrong(wrong), find, imports, desk }))
}

/// The page.
pub(super) async fn page<T: Target>(desk: Desk, Path(named): Path<Named>, Query(asked): Query<ArchiveQuery>) -> Result<Response, PageError> {
    let target = T::of(&desk, &named);
    view(desk, target, asked, "").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_asked_for() {
        for state in (1..=20).filter_map(|number| State::try_from(number).ok()) {
            assert!(STATES.iter().any(|(known, _)| *known == state), "{state:?}");
        }
    }
}
