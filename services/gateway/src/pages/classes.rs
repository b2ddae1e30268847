//! 班级: whose class a class is, who is in it today, that its teacher says so, and on which lists they are. A teacher sees her own classes, a school's
//! clerk all.

use std::sync::Arc;

use askama::Template;
use axum::{Form as Sent, Router, extract::Query, response::Response, routing::get, routing::post};
use serde::Deserialize;
use tonic::{Code, Status};
use xuezhu_domain::Term;
use xuezhu_proto::aid::{ClassAward, ClassStudent, ListClassAwardsRequest, statement};
use xuezhu_proto::enrollment::{
    ClassConfirmation, ClassList, ClassTeacher, ConfirmClassRequest, Enrollment, GetClassListRequest, ListClassConfirmationsRequest, ListClassTeachersRequest,
    ListClassesRequest, SetClassTeacherRequest,
};

use xuezhu_service::{Error, Refusal};

use super::{Desk, PageError, render, show, students, unknown_act};
use crate::{
    Gateway,
    parts::{
        Act, Address, Cell, Field, Form, Note, Row, Table, Tone,
        field::{Choice, typed_day},
    },
};

/// Lines of what was set or confirmed before that are shown.
const ROWS: i32 = 1000;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/classes", get(index)).route("/classes/one", get(one).post(confirm)).route("/classes/teachers", post(set))
}

#[derive(Template)]
#[template(path = "classes/index.html")]
struct IndexPage {
    desk: Desk,
    classes: Table,
    set: Option<Act>,
    before: Option<Table>,
}

fn address(class_name: &str) -> Address {
    Address::of("/classes/one").with("class", class_name)
}

/// Who may look: a school's own people.
fn at_school(desk: &Desk) -> Result<String, PageError> {
    if desk.user.is_school() && !desk.user.is_finance() {
        Ok(desk.user.org.clone())
    } else {
        Err(PageError::Refused(Status::permission_denied("班级由学校的经办人、校长和班主任查看")))
    }
}

async fn index(desk: Desk) -> Result<Response, PageError> {
    let school = at_school(&desk)?;
    let classes = desk.enrollments().list_classes(desk.request(ListClassesRequest { school: school.clone(), ended: false })).await?.into_inner().classes;
    let asked = ListClassTeachersRequest { school: school.clone(), page_size: ROWS, ..Default::default() };
    let teachers = desk.classes().list_class_teachers(desk.request(asked)).await?.into_inner().teachers;
    let asked = ListClassConfirmationsRequest { school, page_size: ROWS, ..Default::default() };
    let confirmed = desk.classes().list_class_confirmations(desk.request(asked)).await?.into_inner().confirmations;
    let mut names: Vec<(String, i32)> = Vec::new();
    for class in &classes {
        match names.iter_mut().find(|(name, _)| *name == class.name) {
            Some((_, count)) => *count += class.students,
            None => names.push((class.name.clone(), class.students)),
        }
    }
    let row = |(name, count): &(String, i32)| {
        let teacher = teachers.iter().find(|teacher| teacher.class_name == *name && teacher.holds);
        let last = confirmed.iter().find(|confirmation| confirmation.class_name == *name);
        Row::of([
            Cell::link(address(name), name.as_str()),
            Cell::number(*count),
            teacher.map_or_else(|| Cell::mark(Tone::Plain, "未指定"), |teacher| Cell::from(&teacher.display_name)),
            last.map_or_else(|| Cell::mark(Tone::Plain, "还没有确认"), confirmation),
            Cell::link(address(name), if desk.user.is_teacher() { "核对" } else { "查看" }),
        ])
    };
    let table = Table::of("班级").column("班级").number("今日人数").columns(["班主任", "最近一次确认"]).acts().rows(names.iter().map(row));
    let table = if desk.user.is_teacher() {
        table.empty("还没有给您指定班级：请本校经办人在“班级”页指定。")
    } else {
        table.empty("还没有已批准的学生，所以没有班级。")
    };
    let set = desk.user.is_clerk().then(|| setting(&desk, names.iter().map(|(name, _)| name.clone())));
    let before = (!desk.user.is_teacher()).then(|| history(&teachers));
    Ok(render(&IndexPage { desk, classes: table, set, before }))
}

/// What a teacher said, with whether who is in the class changed since.
fn confirmation(row: &ClassConfirmation) -> Cell {
    let says = format!("{} {}", row.display_name, show::time(&row.confirm_time));
    match (row.wrong.is_empty(), row.stale) {
        (false, _) => Cell::mark(Tone::Bad, "说明有误").beside(says).beside(row.wrong.as_str()),
        (true, true) => Cell::mark(Tone::Wait, "之后有变动").beside(says),
        (true, false) => Cell::mark(Tone::Good, format!("已确认 {} 人", row.count)).beside(says),
    }
}

fn setting(desk: &Desk, names: impl Iterator<Item = String>) -> Act {
    let form = Form::of::<SetClassTeacherRequest>(desk, "teacher", "/classes/teachers")
        .with(Field::picked("class_name", names).required().limit(60))
        .with(Field::line("account").hint("不填则这个班从起始日期起没有班主任").limit(60))
        .with(Field::day("from_date").required().value(desk.today()))
        .button("指定班主任");
    Act::of("指定班主任", form).says("班主任的账号由管理员开设。班主任只看自己班级的学生：核对谁在班里，看谁列入了资助名单，不看金额、档次和困难等级。刚指定的，班主任重新登录后看得到名单。")
}

fn history(teachers: &[ClassTeacher]) -> Table {
    let row = |teacher: &ClassTeacher| {
        let who = if teacher.account.is_empty() { Cell::text("无") } else { Cell::text(format!("{}（{}）", teacher.display_name, teacher.account)) };
        let days =
            if teacher.end_date.is_empty() { format!("{} 起", teacher.from_date) } else { format!("{} 至 {} 前", teacher.from_date, teacher.end_date) };
        Row::of([Cell::from(&teacher.class_name), who, Cell::unbroken(days), Cell::text(format!("{} {}", teacher.set_by, show::day(&teacher.set_time)))])
    };
    Table::of("历次指定").columns(["班级", "班主任", "日期", "指定人"]).rows(teachers.iter().map(row)).empty("还没有指定过班主任。")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    class: String,
    /// Of which term lists are shown; the present one where none is named.
    term: String,
}

#[derive(Template)]
#[template(path = "classes/one.html")]
struct OnePage {
    desk: Desk,
    list: ClassList,
    last: Option<Note>,
    students: Table,
    acts: Vec<Act>,
    /// On which lists they are, of the term that is shown; else why that can't be told.
    awards: Result<Table, Note>,
    term: Form,
}

async fn one(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = GetClassListRequest { school: at_school(&desk)?, class_name: asks.class };
    let list = desk.classes().get_class_list(desk.request(asked)).await?.into_inner().class_list.unwrap_or_default();
    let row = |row: &Enrollment| {
        let name = if desk.user.is_teacher() { Cell::from(&row.name) } else { Cell::link(students::path(row), row.name.as_str()) };
        Row::of([name, Cell::from(&row.sex), Cell::unbroken(&row.school_number), Cell::from(&row.major_name), students::mark(row)])
    };
    let table = Table::of("班级名单").columns(["姓名", "性别", "学号", "专业", "状态"]).rows(list.students.iter().map(row)).empty("这个班今天没有学生。");
    let told = list.confirmation.as_ref().map(|last| {
        let says = format!("{} {}", last.display_name, show::time(&last.confirm_time));
        match (last.wrong.is_empty(), last.stale) {
            (false, _) => Note::of(Tone::Bad, format!("{says} 说明有误：{}", last.wrong)),
            (true, true) => Note::of(Tone::Wait, format!("{says} 确认过 {} 人，之后名单有变动，请重新核对。", last.count)),
            (true, false) => Note::of(Tone::Good, format!("{says} 已确认 {} 人。", last.count)),
        }
    });
    let acts = if desk.user.is_teacher() { confirming(&desk, &list) } else { Vec::new() };
    let shown = asks.term.parse().unwrap_or_else(|_| Term::of(desk.civil_day())).to_string();
    let awards = awards(&desk, &list, &shown).await?;
    let terms = std::iter::successors(Some(Term::of(desk.civil_day())), |term| Some(term.before())).take(3);
    let terms = terms.map(|term| Choice::of(term.to_string(), term.name()));
    let term = Form::narrow(&desk, "term", "/classes/one").hidden("class", &list.class_name).with(Field::choice("term", terms).value(&shown)).button("查看");
    Ok(render(&OnePage { desk, last: told, students: table, acts, awards, term, list }))
}

/// On which lists of a term the students of a class are.
async fn awards(desk: &Desk, list: &ClassList, term: &str) -> Result<Result<Table, Note>, PageError> {
    let asked = ListClassAwardsRequest { school: list.school.clone(), class_name: list.class_name.clone(), term: term.to_owned() };
    let told = match desk.class_awards().list_class_awards(desk.request(asked)).await {
        Ok(told) => told.into_inner(),
        // What the log-in does not say yet, and what aid does not know or can't say now, stands in nobody's way who looks at the class itself.
        Err(refused) if refused.code() == Code::PermissionDenied => return Ok(Err(Note::of(Tone::Plain, refused.message()))),
        Err(away) if matches!(away.code(), Code::NotFound | Code::Unavailable | Code::DeadlineExceeded) => {
            return Ok(Err(Note::of(Tone::Wait, "现在查不到资助名单：资助系统暂时连不上，或者还没有收到本校的数据。请过一会儿再看。")));
        }
        Err(error) => return Err(error.into()),
    };
    let cell = |award: &ClassAward| {
        let signed = match award.signed() {
            statement::Kind::Application => "已申请",
            statement::Kind::Waiver => "已书面放弃",
            statement::Kind::Unspecified => "",
        };
        let mut states = award.states();
        let cell = states.next().map_or_else(|| Cell::mark(Tone::Plain, "未列入"), super::lists::mark_of);
        let cell = states.fold(cell, |cell, state| cell.beside(format!("另有{}", show::state(state.as_str_name()))));
        let cell = if award.held { cell.beside("有疑点，请问学校经办人") } else { cell };
        if signed.is_empty() { cell } else { cell.beside(signed) }
    };
    let row = |student: &ClassStudent| student.awards.iter().fold(Row::of([Cell::from(&student.name)]), |row, award| row.and(cell(award)));
    let columns = told.schemes.iter().fold(Table::of("本班资助名单").column("姓名"), |table, scheme| table.column(&scheme.scheme_name));
    Ok(Ok(columns.rows(told.students.iter().map(row)).empty("这个班今天没有学生，或者学籍刚刚批准，还没有同步到资助系统。")))
}

/// What a teacher may say of the list that is shown.
fn confirming(desk: &Desk, list: &ClassList) -> Vec<Act> {
    let form = |id: &str| {
        Form::of::<ConfirmClassRequest>(desk, id, "/classes/one")
            .hidden("class_name", &list.class_name)
            .hidden("digest", &list.digest)
            .hidden("count", list.count.to_string())
    };
    let right =
        form("right").act(format!("确认这 {} 人都在班里", list.count), "right").asks(format!("确认{}的 {} 人今天都在本班。", list.class_name, list.count));
    let field = Field::lines("wrong").required().limit(500).hint("写明是谁、怎么不对，如：张三已转到2班；李四11月起没有来");
    let wrong = form("amiss").with(field).danger("名单有误", "wrong");
    vec![
        Act::of("核对名单", right).says("核对的是今天的名单；以后名单有变动，再核对一次。"),
        Act::of("名单有误", wrong).says("学校经办人会看到您的说明，办理后请重新核对。"),
    ]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfirmForm {
    request_id: String,
    class_name: String,
    digest: String,
    count: i32,
    act: String,
    wrong: String,
}

async fn confirm(desk: Desk, Sent(sent): Sent<ConfirmForm>) -> Result<Response, PageError> {
    let ConfirmForm { request_id, class_name, digest, count, act, wrong } = sent;
    // Who says that something is wrong says what: a blank is no confirmation.
    let wrong = match (act.as_str(), wrong.trim()) {
        ("right", _) => String::new(),
        ("wrong", "") => return Err(Status::from(Error::from(Refusal::field("wrong", "请写明是谁、怎么不对"))).into()),
        ("wrong", said) => said.to_owned(),
        (unknown, _) => return Err(unknown_act(unknown)),
    };
    let back = address(&class_name);
    let done = if wrong.is_empty() { format!("已确认 {count} 人。") } else { "已告知学校经办人。".to_owned() };
    let asked = ConfirmClassRequest { school: at_school(&desk)?, class_name, digest, count, wrong };
    desk.classes().confirm_class(desk.change(&request_id, asked)).await?;
    Ok(desk.done(done, back))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TeacherForm {
    request_id: String,
    class_name: String,
    account: String,
    #[serde(deserialize_with = "typed_day")]
    from_date: String,
}

async fn set(desk: Desk, Sent(sent): Sent<TeacherForm>) -> Result<Response, PageError> {
    let TeacherForm { request_id, class_name, account, from_date } = sent;
    let done = format!("已指定{}的班主任。", class_name.trim());
    let asked = SetClassTeacherRequest { school: at_school(&desk)?, class_name: class_name.trim().to_owned(), account: account.trim().to_owned(), from_date };
    desk.classes().set_class_teacher(desk.change(&request_id, asked)).await?;
    Ok(desk.done(done, "/classes"))
}
