//! 漏报清单: who should be listed in a term and is not, each with its cause; drawn up by the clerk, signed by the principal, counted by departments.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{DefaultBodyLimit, Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::aid::{
    DrawUpOmissionsRequest, GetOmissionsRequest, ListOmissionListsRequest, Omission, OmissionList, OmissionSchool, SetOmissionCauseRequest,
    SubmitOmissionsRequest, omission::Cause, omission_list::State,
};

use super::{Desk, PageError, dossiers::Keeper, lists, render, show, unknown_act};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Note, Row, Table, Tone, field::Choice, table::Tick},
};

/// Bytes of a form in which every student of a school may be ticked.
const FORM_BYTES: usize = 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/omissions", get(own))
        .route("/schools/{school}/omissions", get(page).post(draw_up))
        .route("/schools/{school}/omissions/{list}", post(act))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    term: String,
}

fn path(school: &str) -> String {
    format!("/schools/{school}/omissions")
}

fn mark(state: State) -> Cell {
    match state {
        State::Unspecified => Cell::mark(Tone::Plain, "未生成"),
        State::Draft => Cell::mark(Tone::Wait, "经办人填写中"),
        State::Submitted => Cell::mark(Tone::Wait, "签字中"),
        State::Signed => Cell::mark(Tone::Good, "已签字"),
    }
}

#[derive(Template)]
#[template(path = "omissions/region.html")]
struct RegionPage {
    desk: Desk,
    title: String,
    narrow: Form,
    table: Table,
}

/// A school goes to its own, a department sees how its schools stand.
async fn own(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    if desk.user.is_school() {
        return Ok(Redirect::to(&Address::of(path(&desk.user.org)).with("term", asks.term.as_str()).to_string()).into_response());
    }
    let asked = ListOmissionListsRequest { region: String::new(), term: asks.term };
    let told = desk.omissions().list_omission_lists(desk.request(asked)).await?.into_inner();
    let narrow = Form::narrow(&desk, "narrow", "/omissions").with(Field::choice("term", lists::past_terms(&desk)).value(&told.term)).plain("查看", "");
    let row = |school: &OmissionSchool| {
        let way = Address::of(path(&school.school)).with("term", told.term.as_str());
        Row::of([
            Cell::link(way, school.school_name.as_str()),
            mark(school.state()).beside(school.signed_date.as_str()),
            Cell::number(school.count),
            Cell::number(school.waived),
            Cell::number(school.missing),
        ])
    };
    let table = Table::of("各校").columns(["学校", "清单"]).numbers(["清单人数", "其中自愿放弃", "当前应助未助"]);
    let table = table.rows(told.schools.iter().map(row)).empty("辖区内没有学校。");
    Ok(render(&RegionPage { title: show::term(&told.term), desk, narrow, table }))
}

#[derive(Template)]
#[template(path = "omissions/index.html")]
struct Page {
    desk: Desk,
    told: OmissionList,
    title: String,
    state: Cell,
    notes: Vec<Note>,
    narrow: Form,
    table: Table,
    cause: Option<Form>,
    draw: Option<Form>,
    submit: Option<Form>,
}

async fn page(desk: Desk, Path(school): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = GetOmissionsRequest { school: school.clone(), term: asks.term };
    let told = desk.omissions().get_omissions(desk.request(asked)).await?.into_inner().omission_list.unwrap_or_default();
    let narrow = Form::narrow(&desk, "narrow", path(&school)).with(Field::choice("term", lists::past_terms(&desk)).value(&told.term)).plain("查看", "");
    let clerk = desk.user.is_clerk();
    let is_open = told.open_date.as_str() <= desk.today().as_str() && !told.open_date.is_empty();
    let edits = clerk && told.state() == State::Draft;
    let act = format!("{}/{}", path(&school), told.list);
    let cause = (edits && !told.omissions.is_empty()).then(|| causing(&desk, &act));
    let on = cause.as_ref().and_then(|form| form.back_of("item")).unwrap_or_default();
    // What was signed is drawn up again only where something is new.
    let redraws = told.state() != State::Submitted && (told.state() != State::Signed || told.others > 0);
    let draw = (clerk && is_open && redraws).then(|| {
        let word = if told.list.is_empty() { "生成清单" } else { "重新生成" };
        Form::of::<DrawUpOmissionsRequest>(&desk, "draw", path(&school)).inline().hidden("term", &told.term).button(word)
    });
    let submit = (edits && told.without_cause == 0 && told.others == 0).then(|| {
        let form = Form::of::<SubmitOmissionsRequest>(&desk, "submit", act.as_str()).inline().hidden("term", &told.term);
        form.act("提交校长签字", "submit")
    });
    let page = Page {
        title: show::term(&told.term),
        state: mark(told.state()),
        notes: notes(&desk, &told, is_open),
        table: table(&told, edits, &on),
        narrow,
        cause,
        draw,
        submit,
        told,
        desk,
    };
    Ok(render(&page))
}

fn notes(desk: &Desk, told: &OmissionList, is_open: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    if !is_open && !told.open_date.is_empty() {
        notes.push(Note::of(Tone::Plain, format!("自 {} 起可以生成（名单锁定前十天）。", told.open_date)));
    }
    if !told.reason.is_empty() {
        notes.push(Note::of(Tone::Bad, format!("被退回：{}", told.reason)));
    }
    if told.others > 0 && !told.list.is_empty() {
        notes.push(Note::of(Tone::Wait, format!("生成以后有 {} 人的情况有变化（新的漏报，或者签了、撤回了放弃）：请重新生成。", told.others)));
    } else if told.others > 0 && is_open {
        notes.push(Note::of(Tone::Wait, format!("现有 {} 人应列入而未列入。", told.others)));
    }
    if told.without_cause > 0 {
        notes.push(Note::of(Tone::Wait, format!("还有 {} 人没有填原因。", told.without_cause)));
    }
    if !told.dossier.is_empty() && desk.user.reads_school() {
        notes.push(Note::of(Tone::Plain, "签字和退回在业务单上办理。").way(Keeper::Aid.link(&told.dossier), "打开业务单"));
    }
    notes
}

fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Unspecified => "未填",
        Cause::Waived => "自愿放弃",
        Cause::ToBeListed => "补报",
        Cause::RollToBeMended => "学籍信息待更正",
        Cause::NotPresent => "实际不在校",
        Cause::NotReached => "联系不上",
        Cause::Other => "其他",
    }
}

fn table(told: &OmissionList, ticks: bool, on: &[String]) -> Table {
    let row = |omission: &Omission| {
        let name = if omission.flag.is_empty() { Cell::from(&omission.name) } else { Cell::link(format!("/flags/{}", omission.flag), omission.name.as_str()) };
        let tone = if omission.cause() == Cause::Unspecified { Tone::Wait } else { Tone::Plain };
        let may = ticks && omission.cause() != Cause::Waived;
        let is_on = on.contains(&omission.item);
        let tick = may.then(|| Tick { form: "cause", name: "item", value: omission.item.clone(), label: omission.name.clone(), is_on });
        let cause = Cell::mark(tone, cause_name(omission.cause())).beside(omission.note.as_str());
        Row::of([name, Cell::from(&omission.class_name), Cell::from(&omission.scheme_name), cause]).ticked(tick)
    };
    let empty =
        if told.list.is_empty() { "还没有生成清单。" } else { "没有应列入而未列入的学生；没有漏报的，也要提交校长签字。" };
    Table::of("漏报清单").columns(["姓名", "班级", "项目", "未列入的原因"]).ticks(ticks).rows(told.omissions.iter().map(row)).empty(empty)
}

/// The form under the students, for whom somebody ticked.
fn causing(desk: &Desk, act: &str) -> Form {
    let causes = [Cause::ToBeListed, Cause::RollToBeMended, Cause::NotPresent, Cause::NotReached, Cause::Other];
    Form::of::<SetOmissionCauseRequest>(desk, "cause", act)
        .row()
        .with(Field::choice("cause", causes.map(|cause| Choice::of(cause.as_str_name(), cause_name(cause)))).required())
        .with(Field::line("note").hint("选“其他”的必填"))
        .act("填写勾选的", "cause")
}

/// What is done with a list.
#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    term: String,
    cause: String,
    note: String,
    items: Vec<String>,
}

impl ActForm {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "term" => form.term = value,
                "cause" => form.cause = value,
                "note" => form.note = value,
                "item" => form.items.push(value),
                _ => {}
            }
        }
        form
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DrawForm {
    request_id: String,
    term: String,
}

async fn draw_up(desk: Desk, Path(school): Path<String>, Sent(sent): Sent<DrawForm>) -> Result<Response, PageError> {
    let asked = DrawUpOmissionsRequest { school: school.clone(), term: sent.term };
    let told = desk.omissions().draw_up_omissions(desk.change(&sent.request_id, asked)).await?.into_inner().omission_list.unwrap_or_default();
    let back = Address::of(path(&school)).with("term", told.term.as_str());
    Ok(desk.done(format!("清单已生成，共 {} 人。", told.count), back))
}

async fn act(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let form = ActForm::of(pairs);
    match form.act.as_str() {
        "cause" if form.items.is_empty() => Err(Status::invalid_argument("请先勾选学生").into()),
        "cause" => {
            let cause = Cause::from_str_name(&form.cause).unwrap_or_default().into();
            let asked = SetOmissionCauseRequest { school: school.clone(), list, items: form.items, cause, note: form.note };
            let told = desk.omissions().set_omission_cause(desk.change(&form.request_id, asked)).await?.into_inner().omission_list.unwrap_or_default();
            let back = Address::of(path(&school)).with("term", told.term.as_str());
            Ok(desk.done(format!("原因已填写，还有 {} 人没有填。", told.without_cause), back))
        }
        "submit" => {
            let asked = SubmitOmissionsRequest { school: school.clone(), list };
            desk.omissions().submit_omissions(desk.change(&form.request_id, asked)).await?;
            Ok(desk.done("已提交校长签字。", Address::of(path(&school)).with("term", form.term.as_str())))
        }
        unknown => Err(unknown_act(unknown)),
    }
}
