//! 申请与放弃: what students signed of a scheme and term. Class by class: who asked for it, who does not want it, who signed nothing yet; and the
//! application forms, printed with what is known.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{DefaultBodyLimit, Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use futures_util::StreamExt;
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    aid::{
        ListSchemesRequest, ListStatementsRequest, ListStatementsResponse, RecordStatementsRequest, Statement, StatementClass, WithdrawStatementRequest,
        statement::{Kind, Signer},
    },
    enrollment::{GetStudentRequest, ListEnrollmentsRequest},
};

use super::{Desk, PageError, lists, printed, render, show, unknown_act};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Note, Row, Table, Tone, Whole, field::Choice, table::Tick},
};

/// Bytes of a form in which every student of a class may be ticked.
const FORM_BYTES: usize = 1024 * 1024;

/// Why a statement is taken off.
const MISTAKE: &str = "登错了";
const TAKEN_BACK: &str = "学生撤回";

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/statements", get(own))
        .route("/schools/{school}/statements", get(page).post(record))
        .route("/schools/{school}/statements/print", get(print))
        .route("/schools/{school}/statements/{statement}/withdraw", post(withdraw))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

async fn own(desk: Desk) -> Result<Response, PageError> {
    if desk.user.is_school() {
        return Ok(Redirect::to(&format!("/schools/{}/statements", desk.user.org)).into_response());
    }
    Err(PageError::Refused(Status::permission_denied("学生的申请和放弃由学校登记；主管部门从疑点或名单查看")))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asks {
    scheme: String,
    term: String,
    class: String,
    /// Whether forms are printed for those too who signed already.
    all: bool,
}

impl Asks {
    fn scheme(&self) -> &str {
        if self.scheme.is_empty() { "GRANT" } else { &self.scheme }
    }

    fn request(&self, school: &str) -> ListStatementsRequest {
        ListStatementsRequest { school: school.to_owned(), scheme: self.scheme().to_owned(), term: self.term.clone(), class_name: self.class.clone() }
    }
}

fn address(school: &str, told: &ListStatementsResponse) -> Address {
    Address::of(format!("/schools/{school}/statements")).with("scheme", told.scheme_code.as_str()).with("term", told.term.as_str())
}

#[derive(Template)]
#[template(path = "statements/index.html")]
struct Page {
    desk: Desk,
    title: String,
    note: Option<Note>,
    narrow: Form,
    classes: Option<Table>,
    students: Option<Table>,
    /// What was said before.
    former: Option<Table>,
    record: Option<Form>,
    print: Option<Address>,
    back: Address,
}

async fn page(desk: Desk, Path(school): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let told = desk.statements().list_statements(desk.request(asks.request(&school))).await?.into_inner();
    let schemes = desk.policies().list_schemes(desk.request(ListSchemesRequest {})).await?.into_inner().schemes;
    let schemes = schemes.iter().map(|scheme| Choice::of(&scheme.scheme_code, &scheme.scheme_name));
    let classes = told.classes.iter().map(|class| Choice::of(&class.class_name, &class.class_name));
    let at = format!("/schools/{school}/statements");
    let narrow = Form::narrow(&desk, "narrow", at.as_str())
        .with(Field::choice("term", lists::past_terms(&desk)).value(&told.term))
        .with(Field::choice("scheme", schemes).value(&told.scheme_code))
        .with(Field::narrows("class", classes).called("班级").value(&asks.class))
        .plain("查看", "");
    let back = address(&school, &told);
    let of_class = !asks.class.is_empty();
    let note = told.asked.then(|| Note::of(Tone::Plain, "按现行政策，名单签核以后每名学生都要有书面申请（签名的申请表或承诺书），没有的冻结为“材料不齐”。"));
    let record = (desk.user.is_clerk() && of_class && !told.statements.is_empty()).then(|| recording(&desk, &school, &asks, &told));
    let on = record.as_ref().and_then(|form| form.back_of("person")).unwrap_or_default();
    let page = Page {
        title: format!("{} {}", show::term(&told.term), told.scheme_name),
        note,
        narrow,
        classes: (!of_class).then(|| self::classes(&back, &told.classes)),
        students: of_class.then(|| students(&desk, &school, &told, record.is_some(), &on)),
        former: (!told.former.is_empty()).then(|| former(&told.former)),
        record,
        print: (of_class && desk.user.is_clerk()).then(|| {
            let print = Address::of(format!("/schools/{school}/statements/print"));
            print.with("scheme", told.scheme_code.as_str()).with("term", told.term.as_str()).with("class", asks.class.as_str())
        }),
        back,
        desk,
    };
    Ok(render(&page))
}

fn classes(own: &Address, classes: &[StatementClass]) -> Table {
    let row = |class: &StatementClass| {
        let left = class.students - class.applications - class.waivers;
        let mark = if left > 0 { Cell::mark(Tone::Wait, format!("{left}人未登记")) } else { Cell::mark(Tone::Good, "齐") };
        let way = Cell::link(own.clone().with("class", class.class_name.as_str()), class.class_name.as_str());
        Row::of([way, Cell::number(class.students), Cell::number(class.applications), Cell::number(class.waivers), mark])
    };
    let table = Table::of("各班").column("班级").numbers(["学生（人）", "已申请（人）", "自愿放弃（人）"]).column("还差");
    table.rows(classes.iter().map(row)).empty("该学期还没有学生在籍（或学籍尚未批准、尚未同步到资助系统）。")
}

fn said(statement: &Statement) -> Cell {
    let signer = match statement.signer() {
        Signer::Student => "学生签字",
        Signer::Guardian => "监护人签字",
        Signer::Both => "学生和监护人签字",
        Signer::Unspecified => "",
    };
    let beside = format!("{signer} {}", statement.signed_date);
    match statement.kind() {
        Kind::Application => Cell::mark(Tone::Good, "已申请").beside(beside),
        Kind::Waiver => Cell::mark(Tone::Plain, "自愿放弃").beside(beside),
        Kind::Unspecified => Cell::mark(Tone::Wait, "未登记"),
    }
}

fn students(desk: &Desk, school: &str, told: &ListStatementsResponse, ticks: bool, on: &[String]) -> Table {
    let row = |statement: &Statement| {
        let tick =
            Tick { form: "record", name: "person", value: statement.person.clone(), label: statement.name.clone(), is_on: on.contains(&statement.person) };
        let name = Cell::link(format!("/students/{}", statement.person), statement.name.as_str());
        let by = if statement.recorded_by.is_empty() { String::new() } else { format!("{} {}", statement.record_date, statement.recorded_by) };
        let withdraw = (desk.user.is_clerk() && !statement.statement.is_empty()).then(|| {
            let id = format!("withdraw-{}", statement.statement);
            let form = Form::of::<WithdrawStatementRequest>(desk, id, format!("/schools/{school}/statements/{}/withdraw", statement.statement));
            let form = form.inline().hidden("scheme", &told.scheme_code).hidden("term", &told.term).hidden("class", &statement.class_name);
            let form = form.plain(MISTAKE, "mistake").asks(format!("撤销{}的登记：登错了。", statement.name));
            Cell::act(form.plain(TAKEN_BACK, "back").asks(format!("撤销{}的登记：学生（或监护人）书面撤回。", statement.name)))
        });
        Row::of([name, Cell::from(&statement.major_name), said(statement), Cell::text(by), withdraw.unwrap_or_else(|| Cell::text(""))])
            .ticked(ticks.then_some(tick))
    };
    let table = Table::of("学生").columns(["姓名", "专业", "申请或放弃", "登记", "办理"]);
    table.ticks(ticks).rows(told.statements.iter().map(row)).empty("该学期没有学生在这个班。")
}

/// What was said and holds no more.
fn former(statements: &[Statement]) -> Table {
    let row = |statement: &Statement| {
        let kind = if statement.kind() == Kind::Waiver { "自愿放弃" } else { "已申请" };
        let why = if statement.end_reason.is_empty() { "后来另有声明" } else { &statement.end_reason };
        Row::of([
            Cell::from(&statement.name),
            Cell::text(kind).beside(statement.signed_date.as_str()),
            Cell::text(format!("{} {}", statement.record_date, statement.recorded_by)),
            Cell::text(format!("{} {}", statement.end_date, statement.ended_by)).beside(why),
        ])
    };
    Table::of("以前的声明").columns(["姓名", "申请或放弃", "登记", "终止"]).rows(statements.iter().map(row))
}

/// The form under the students, for whom somebody ticked, or for all of the class who signed nothing yet.
fn recording(desk: &Desk, school: &str, asks: &Asks, told: &ListStatementsResponse) -> Form {
    let signers = [(Signer::Both, "学生和监护人"), (Signer::Student, "学生本人"), (Signer::Guardian, "监护人")];
    let left = told.statements.iter().filter(|statement| statement.kind() == Kind::Unspecified).count();
    let form = Form::of::<RecordStatementsRequest>(desk, "record", format!("/schools/{school}/statements"))
        .row()
        .with(Field::kept("class", &asks.class))
        .hidden("scheme", &told.scheme_code)
        .hidden("term", &told.term)
        .with(Field::choice("signer", signers.map(|(signer, word)| Choice::of(signer.as_str_name(), word))).required())
        .with(Field::day("signed_date").value(desk.today()).required())
        .act("登记勾选的已申请", "apply")
        .danger("登记勾选的自愿放弃", "waive")
        .asks("这些学生本学期不列入该项目的名单；自愿放弃须有本人（和监护人）签名的书面材料。");
    if left > 0 { form.whole(i64::try_from(left).unwrap_or(0), "all", "本班未登记的都已申请") } else { form }
}

/// What is recorded.
#[derive(Debug, Default)]
struct RecordForm {
    request_id: String,
    act: String,
    asks: Asks,
    signer: String,
    signed_date: String,
    persons: Vec<String>,
    whole: Whole,
}

impl RecordForm {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "class" => form.asks.class = value,
                "scheme" => form.asks.scheme = value,
                "term" => form.asks.term = value,
                "signer" => form.signer = value,
                "signed_date" => form.signed_date = crate::parts::field::typed(&value),
                "person" => form.persons.push(value),
                other => form.whole.take(other, &value),
            }
        }
        form
    }
}

async fn record(desk: Desk, Path(school): Path<String>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let RecordForm { request_id, act, asks, signer, signed_date, persons, whole } = RecordForm::of(pairs);
    let none = || Err(PageError::from(Status::invalid_argument("请先勾选学生")));
    let (kind, persons, count) = match act.as_str() {
        "apply" | "waive" if persons.is_empty() => return none(),
        "apply" => (Kind::Application, persons, 0),
        "waive" => (Kind::Waiver, persons, 0),
        "all" => (Kind::Application, Vec::new(), whole.count()?),
        unknown => return Err(unknown_act(unknown)),
    };
    let asked = RecordStatementsRequest {
        school: school.clone(),
        scheme: asks.scheme.clone(),
        term: asks.term.clone(),
        kind: kind.into(),
        signer: Signer::from_str_name(&signer).unwrap_or_default().into(),
        signed_date,
        persons,
        class_name: asks.class.clone(),
        count,
    };
    let answer = desk.statements().record_statements(desk.change(&request_id, asked)).await?.into_inner();
    let word = if kind == Kind::Waiver { "自愿放弃" } else { "已申请" };
    let unchanged = if answer.unchanged > 0 { format!("，另有 {} 名此前已经登记", answer.unchanged) } else { String::new() };
    Ok(desk.done(format!("已登记 {} 名学生{word}{unchanged}。", answer.recorded), back(&school, &asks)))
}

fn back(school: &str, asks: &Asks) -> Address {
    Address::of(format!("/schools/{school}/statements"))
        .with("scheme", asks.scheme.as_str())
        .with("term", asks.term.as_str())
        .with("class", asks.class.as_str())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WithdrawForm {
    request_id: String,
    act: String,
    scheme: String,
    term: String,
    class: String,
}

async fn withdraw(desk: Desk, Path((school, statement)): Path<(String, String)>, Sent(sent): Sent<WithdrawForm>) -> Result<Response, PageError> {
    let reason = match sent.act.as_str() {
        "mistake" => MISTAKE,
        "back" => TAKEN_BACK,
        unknown => return Err(unknown_act(unknown)),
    };
    let asks = Asks { scheme: sent.scheme, term: sent.term, class: sent.class, all: false };
    let asked = WithdrawStatementRequest { school: school.clone(), statement, reason: reason.to_owned() };
    let gone = desk.statements().withdraw_statement(desk.change(&sent.request_id, asked)).await?.into_inner().statement.unwrap_or_default();
    Ok(desk.done(format!("已撤销{}的登记。", gone.name), back(&school, &asks)))
}

#[derive(Template)]
#[template(path = "statements/print.html")]
struct Print {
    desk: Desk,
    title: String,
    school_name: String,
    students: Vec<Sheet>,
    /// The same for everybody, where somebody signed already.
    all: Option<Address>,
    back: Address,
}

/// What of a student stands on the form before it is signed; blank where it is not known.
#[derive(Default)]
struct Sheet {
    name: String,
    class_name: String,
    major_name: String,
    sex: String,
    birth: String,
    number: String,
    telephone: String,
    address: String,
    guardian: String,
}

/// Records that are asked for at once.
const RECORDS_AT_ONCE: usize = 8;

/// What enrollment knows of a student: of who can't be read the sheet stays blank, to be filled in by hand.
async fn sheet(desk: &Desk, school: &str, enrollment: Option<String>, said: Statement) -> Sheet {
    let blank = Sheet { name: said.name, class_name: said.class_name, major_name: said.major_name, ..Sheet::default() };
    let Some(enrollment) = enrollment else { return blank };
    let asked = GetStudentRequest { school: school.to_owned(), enrollment };
    let Ok(found) = desk.enrollments().get_student(desk.request(asked)).await else { return blank };
    let groups = found.into_inner().record.unwrap_or_default().groups;
    let columns: HashMap<String, String> = groups.into_iter().flat_map(|group| group.columns).map(|column| (column.header, column.value)).collect();
    // What is masked is filled in by hand.
    let of = |header: &str| columns.get(header).map(|value| value.replace('*', "＿")).unwrap_or_default();
    let member = |ordinal: u8| {
        let [name, relation, telephone] = ["姓名", "关系", "联系电话"].map(|what| of(&format!("成员{ordinal}{what}")));
        (of(&format!("成员{ordinal}是否监护人")) == "是")
            .then(|| [name, relation, telephone].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "))
    };
    Sheet {
        sex: of("性别"),
        birth: of("出生日期").replace("＿＿＿＿", "年＿＿月＿＿日"),
        number: of("身份证件号"),
        telephone: of("联系电话"),
        address: of("户口所在地区县以下详细地址"),
        guardian: member(1).or_else(|| member(2)).unwrap_or_default(),
        ..blank
    }
}

/// The enrollments of a class, by person.
async fn enrollments_of(desk: &Desk, school: &str, class: &str) -> Result<HashMap<String, String>, Status> {
    let mut every = printed::Every::new();
    while let Some(page_number) = every.next() {
        let asked = ListEnrollmentsRequest {
            school: school.to_owned(),
            class_name: class.to_owned(),
            page_size: printed::ROWS_AT_ONCE,
            page_number,
            ..ListEnrollmentsRequest::default()
        };
        let found = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner();
        every.take(found.enrollments, found.total_size)?;
    }
    Ok(every.rows().into_iter().map(|row| (row.person, row.enrollment)).collect())
}

/// The application forms of a class, one a page, with what is known of each: for those who signed nothing yet, or for all.
async fn print(desk: Desk, Path(school): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    printed::may_print_people(&desk)?;
    let told = desk.statements().list_statements(desk.request(asks.request(&school))).await?.into_inner();
    let here = |at: &str| Address::of(format!("/schools/{school}/statements{at}")).with("scheme", told.scheme_code.as_str()).with("term", told.term.as_str());
    let somebody_signed = told.statements.iter().any(|said| said.kind() != Kind::Unspecified);
    let all = (somebody_signed && !asks.all).then(|| here("/print").with("class", asks.class.as_str()).with("all", "true"));
    let back = here("").with("class", asks.class.as_str());
    let title = format!("{}{}申请表", show::term(&told.term), told.scheme_name);
    let enrolled = enrollments_of(&desk, &school, &asks.class).await?;
    let wanted: Vec<Statement> = told.statements.into_iter().filter(|said| asks.all || said.kind() == Kind::Unspecified).collect();
    let sheets = futures_util::stream::iter(wanted).map(|said| sheet(&desk, &school, enrolled.get(&said.person).cloned(), said));
    let students = sheets.buffered(RECORDS_AT_ONCE).collect().await;
    let page = Print { title, school_name: desk.place().clone(), students, all, back, desk };
    Ok(render(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_ticked_gives_up_nothing() {
        let form = RecordForm::of(vec![("act".into(), "waive".into()), ("signer".into(), "BOTH".into()), ("signed_date".into(), "20261102".into())]);
        assert!(form.persons.is_empty() && form.act == "waive");
        assert_eq!(form.signed_date, "2026-11-02");
    }
}
