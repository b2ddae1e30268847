//! 困难认定: who of a school has which level in a school year; entered here by the clerk, submitted together, determined as a dossier.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_domain::{Fen, codes::FAMILY_GROUPS};
use xuezhu_proto::{
    aid::{
        EnterHardshipRequest, FamilyFacts, GetHardshipRequest, GroupStudent, HardshipLevel, ImportHardshipRequest, ListGroupStudentsRequest,
        ListHardshipRequest, ListHardshipResponse, RemoveHardshipRequest, SubmitHardshipRequest, hardship_level::State,
    },
    enrollment::{Enrollment, ListClassesRequest, ListEnrollmentsRequest, enrollment},
};

use super::{Desk, PageError, dossiers::Keeper, imports, render};
use crate::{
    Gateway,
    parts::{
        Act, Address, Cell, Field, Form, Note, Pairs, Place, Row, Table, Tone,
        field::{Choice, blank_is_none},
        place::Way,
    },
};

/// Levels on a page.
const ROWS: i32 = 100;
/// Students of a class who are offered.
const STUDENTS: i32 = 1000;
/// School years that are offered to look at.
const YEARS: i32 = 6;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/hardship", get(own))
        .route("/schools/{school}/hardship", get(index).post(enter))
        .route("/schools/{school}/hardship/submit", post(submit))
        .route("/schools/{school}/hardship/{determination}", get(one).post(remove))
}

/// A school's page.
pub fn path(school: &str) -> String {
    format!("/schools/{school}/hardship")
}

async fn own(desk: Desk) -> Result<Response, PageError> {
    if desk.user.is_school() {
        return Ok(Redirect::to(&path(&desk.user.org)).into_response());
    }
    Err(PageError::Refused(Status::permission_denied("困难认定由学校办理；主管部门从业务单或学校页查看")))
}

fn mark(level: &HardshipLevel) -> Cell {
    let (tone, word) = match level.state() {
        State::Draft if !level.reason.is_empty() => (Tone::Bad, "被退回，待修改"),
        State::Draft => (Tone::Plain, "待提交"),
        State::Submitted => (Tone::Wait, "待审签"),
        State::Determined => (Tone::Good, "已认定"),
        State::Replaced => (Tone::Plain, "已由后来的认定代替"),
        State::Dropped if level.reason.is_empty() => (Tone::Plain, "已移除"),
        State::Dropped => (Tone::Bad, "未予认定"),
        State::Unspecified => (Tone::Plain, ""),
    };
    Cell::mark(tone, word)
}

fn name(level: &HardshipLevel) -> &str {
    if level.level.is_empty() { "不再困难" } else { &level.level }
}

fn school_year(year: i32) -> String {
    format!("{year}—{}学年", year + 1)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    #[serde(deserialize_with = "blank_is_none")]
    year: i32,
    state: String,
    class: String,
    name: String,
    /// The class of which somebody is to be entered.
    into: String,
    /// Who is to be entered.
    person: String,
    #[serde(deserialize_with = "blank_is_none")]
    at: i32,
}

impl Asks {
    fn narrows(&self) -> bool {
        [&self.state, &self.class, &self.name].into_iter().any(|asked| !asked.is_empty())
    }

    fn address(&self, school: &str) -> Address {
        let year = if self.year == 0 { String::new() } else { self.year.to_string() };
        let asked = [("year", &year), ("state", &self.state), ("class", &self.class), ("name", &self.name)];
        asked.into_iter().fold(Address::of(path(school)), |address, (name, value)| address.with(name, value))
    }
}

#[derive(Template)]
#[template(path = "hardship/index.html")]
struct IndexPage {
    desk: Desk,
    year: String,
    holding: i32,
    narrow: Form,
    table: Table,
    submit: Option<Act>,
    pick: Option<Form>,
    enter: Option<Form>,
    none: Option<Note>,
    /// Whom the school should speak to.
    speak: Option<Table>,
    /// For who sends a file.
    send: Option<Form>,
    archive: String,
}

async fn index(desk: Desk, Path(school): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let state = State::from_str_name(&asks.state).unwrap_or_default().into();
    let asked = ListHardshipRequest {
        school: school.clone(),
        school_year: asks.year,
        state,
        class_name: asks.class.clone(),
        name: asks.name.trim().to_owned(),
        page_size: ROWS,
        page_number: asks.at.max(1),
        ..Default::default()
    };
    let answer = desk.hardship().list_hardship(desk.request(asked)).await?.into_inner();
    let classes = if desk.user.is_clerk() { classes(&desk, &school).await? } else { Vec::new() };
    let is_determined = !answer.level_names.is_empty();
    let none = (!is_determined).then(|| Note::of(Tone::Wait, "现行资助政策没有规定困难等级，不办理困难认定。"));
    let offers = desk.user.is_clerk() && is_determined;
    let pick = offers.then(|| picking(&desk, &school, &asks, &classes));
    let students = if desk.user.is_school() {
        let asked = ListGroupStudentsRequest { school: school.clone() };
        desk.groups().list_group_students(desk.request(asked)).await?.into_inner().students
    } else {
        Vec::new()
    };
    let enter = if offers && !asks.into.is_empty() { Some(entering(&desk, &school, &asks, (&answer, &students)).await?) } else { None };
    let speak = (!students.is_empty()).then(|| speaking(&school, &students, offers));
    let submit = (offers && answer.drafts > 0).then(|| submitting(&desk, &school, &answer));
    let place = Place::of(answer.total_size, "人", asks.at.max(1).into(), ROWS).by_number(&Way::Link(asks.address(&school)));
    let table = levels(&school, &answer.levels, asks.narrows()).place(place);
    let narrow = narrowing(&desk, &school, &asks, &answer);
    let archive = format!("/schools/{school}/hardshipImports");
    let send = offers.then(|| Form::of::<ImportHardshipRequest>(&desk, "send", archive.as_str()).with(imports::workbook()).button("上传并预览"));
    let page =
        IndexPage { year: school_year(answer.school_year), holding: answer.holding, narrow, table, submit, pick, enter, none, speak, send, archive, desk };
    Ok(render(&page))
}

async fn classes(desk: &Desk, school: &str) -> Result<Vec<String>, PageError> {
    let asked = ListClassesRequest { school: school.to_owned(), ended: false };
    let mut names: Vec<String> = desk.enrollments().list_classes(desk.request(asked)).await?.into_inner().classes.into_iter().map(|class| class.name).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn levels(school: &str, rows: &[HardshipLevel], narrows: bool) -> Table {
    let row = |level: &HardshipLevel| {
        Row::of([
            Cell::link(format!("{}/{}", path(school), level.determination), level.name.as_str()),
            Cell::from(&level.class_name),
            Cell::text(name(level)),
            Cell::unbroken(format!("{} 至 {}", level.from_date, level.last_date)),
            if level.papers_asked { mark(level).beside("抽查：请附证明材料") } else { mark(level) },
        ])
    };
    let empty = if narrows { "没有符合条件的。" } else { "本学年还没有困难认定。" };
    Table::of("困难认定").columns(["姓名", "班级", "困难等级", "适用", "状态"]).rows(rows.iter().map(row)).empty(empty)
}

fn narrowing(desk: &Desk, school: &str, asks: &Asks, answer: &ListHardshipResponse) -> Form {
    let newest = answer.school_year.max(xuezhu_domain::Term::of(desk.civil_day()).year());
    let years = (newest - YEARS..=newest + 1).rev().map(|year| Choice::of(year.to_string(), school_year(year)));
    let states = [(State::Draft, "待提交"), (State::Submitted, "待审签"), (State::Determined, "已认定"), (State::Dropped, "已移除或未予认定")]
        .map(|(state, word)| Choice::of(state.as_str_name(), word));
    Form::narrow(desk, "narrow", path(school))
        .with(Field::choice("year", years).called("学年").value(answer.school_year.to_string()))
        .with(Field::narrows("state", states).called("状态").value(&asks.state))
        .with(Field::line("class").called("班级").value(&asks.class))
        .with(Field::line("name").called("姓名").value(&asks.name))
        .plain("筛选", "")
}

fn picking(desk: &Desk, school: &str, asks: &Asks, classes: &[String]) -> Form {
    Form::narrow(desk, "pick", format!("{}#entering", path(school)))
        .with(Field::choice("into", classes.iter().map(|class| Choice::of(class, class))).called("班级").value(&asks.into))
        .plain("选学生", "")
}

/// Whom the school should speak to, and why.
fn speaking(school: &str, students: &[GroupStudent], offers: bool) -> Table {
    let row = |student: &GroupStudent| {
        let mut why: Vec<String> = student.groups.clone();
        if !student.last_level.is_empty() {
            why.push(format!("原认定为{}，已到期", student.last_level));
        }
        let stands = match (student.under_way, student.waived) {
            (true, _) => Cell::mark(Tone::Wait, "认定在办"),
            (_, true) => Cell::mark(Tone::Plain, "已签自愿放弃"),
            _ => Cell::mark(Tone::Bad, "待谈话"),
        };
        let way = Address::of(path(school)).on("entering").with("into", student.class_name.as_str()).with("person", student.person.as_str());
        let act = if offers && !student.under_way { Cell::link(way, "录入") } else { Cell::default() };
        Row::of([
            Cell::from(&student.name),
            Cell::from(&student.class_name),
            Cell::text(why.join("、")).beside(format!("至 {}", student.until_date)),
            stands,
            act,
        ])
    };
    Table::of("请找下列学生谈话").columns(["姓名", "班级", "缘由", "进展"]).acts().rows(students.iter().map(row))
}

async fn entering(desk: &Desk, school: &str, asks: &Asks, (answer, special): (&ListHardshipResponse, &[GroupStudent])) -> Result<Form, PageError> {
    let groups = special.iter().find(|student| student.person == asks.person).map(|student| student.groups.clone()).unwrap_or_default();
    let asked = ListEnrollmentsRequest { school: school.to_owned(), class_name: asks.into.clone(), page_size: STUDENTS, ..Default::default() };
    let rows = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner().enrollments;
    let here = |row: &&Enrollment| matches!(row.state(), enrollment::State::InSchool | enrollment::State::OnLeave) && !row.person.is_empty();
    let students: Vec<Choice> = rows.iter().filter(here).map(|row| Choice::of(&row.person, format!("{}（{}）", row.name, row.id_number))).collect();
    let this = answer.school_year;
    let years = [this, this + 1].map(|year| Choice::of(year.to_string(), school_year(year)));
    let levels = answer.level_names.iter().map(|level| Choice::of(level, level)).chain([Choice::of(ENDS, "不再困难（终止原来的等级）")]);
    Ok(Form::of::<EnterHardshipRequest>(desk, "enter", path(school))
        .hidden("into", asks.into.as_str())
        .with(Field::choice("person", students).value(&asks.person).required())
        .with(Field::choice("school_year", years).value(this.to_string()).required())
        .with(Field::choice("level", levels).required())
        .with(Field::day("from_date").hint("不填为本学期第一天；突发困难的填发生之日"))
        .group("家庭经济信息（不再困难的不填）")
        .with(Field::ticks("group", FAMILY_GROUPS.map(|group| Choice::of(group, group))).known_as("groups").called("特殊群体").values(groups))
        .with(Field::number("members").called("家庭人口").hint("含学生本人"))
        .with(Field::number("dependants").called("赡养人口"))
        .with(Field::number("earners").called("劳动力人口"))
        .with(Field::line("income").known_as("income_fen").called("人均月收入（元）").limit(10))
        .with(Field::line("income_source").called("主要收入来源").limit(40))
        .with(Field::line("cause").called("困难原因").limit(200).wide().hint("如：父亲患病、遭受灾害、兄妹同时上学；选了特殊群体的可以不填"))
        .with(Field::tick("pledged", "学生或监护人已签署承诺书，学校留存"))
        .button("录入"))
}

/// What a form says where the level ends.
const ENDS: &str = "ENDS";

fn submitting(desk: &Desk, school: &str, answer: &ListHardshipResponse) -> Act {
    let form = Form::of::<SubmitHardshipRequest>(desk, "submit", format!("{}/submit", path(school)))
        .hidden("school_year", answer.school_year.to_string())
        .with(Field::kept("count", answer.drafts.to_string()))
        .with(Field::line("reason").called("认定说明").required().limit(500).wide().hint("怎样认定的：如班级评议、家访、学校认定工作组审定的日期"))
        .button(format!("提交{}人", answer.drafts));
    Act::of("提交认定", form).says("待提交的一起提交，由校长签核（设有主管部门环节的再由其审核）后生效，有关名单随即重新核对。")
}

#[derive(Debug, Default)]
struct Filled {
    request_id: String,
    into: String,
    person: String,
    school_year: i32,
    level: String,
    from_date: String,
    income: String,
    family: FamilyFacts,
}

impl Filled {
    /// A form whose check boxes bear one name.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        let number = |value: &str| if value.trim().is_empty() { 0 } else { value.trim().parse().unwrap_or(-1) };
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "into" => form.into = value,
                "person" => form.person = value,
                "school_year" => form.school_year = number(&value),
                "level" => form.level = value,
                "from_date" => form.from_date = crate::parts::field::typed(&value),
                "group" => form.family.groups.push(value),
                "members" => form.family.members = number(&value),
                "dependants" => form.family.dependants = number(&value),
                "earners" => form.family.earners = number(&value),
                "income" => form.income = value,
                "income_source" => form.family.income_source = value,
                "cause" => form.family.cause = value,
                "pledged" => form.family.pledged = true,
                _ => {}
            }
        }
        // What is no amount is told by the service as any other that can't be.
        form.family.income_fen = (!form.income.trim().is_empty()).then(|| Fen::from_yuan(&form.income).map_or(-1, |fen| fen.0));
        form
    }

    /// Of a level that ends nothing of the family is asked.
    fn asked(&self, school: String) -> EnterHardshipRequest {
        let ends = self.level == ENDS;
        EnterHardshipRequest {
            school,
            person: self.person.clone(),
            school_year: self.school_year,
            level: if ends { String::new() } else { self.level.clone() },
            from_date: self.from_date.clone(),
            family: (!ends).then(|| self.family.clone()),
        }
    }
}

async fn enter(desk: Desk, Path(school): Path<String>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let filled = Filled::of(pairs);
    let asked = filled.asked(school.clone());
    let level = desk.hardship().enter_hardship(desk.change(&filled.request_id, asked)).await?.into_inner().level.unwrap_or_default();
    let back = Address::of(path(&school)).with("into", filled.into.as_str());
    Ok(desk.done(format!("已录入{}：{}，待提交。", level.name, name(&level)), back))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubmitForm {
    request_id: String,
    #[serde(deserialize_with = "blank_is_none")]
    school_year: i32,
    #[serde(deserialize_with = "blank_is_none")]
    count: i32,
    reason: String,
}

async fn submit(desk: Desk, Path(school): Path<String>, Sent(sent): Sent<SubmitForm>) -> Result<Response, PageError> {
    let asked = SubmitHardshipRequest { school, school_year: sent.school_year, count: sent.count, reason: sent.reason };
    let dossier = desk.hardship().submit_hardship(desk.change(&sent.request_id, asked)).await?.into_inner().dossier.unwrap_or_default();
    Ok(desk.done("已提交，等校长签核；证明材料可以在下面添加。", Keeper::Aid.link(&dossier.dossier)))
}

#[derive(Template)]
#[template(path = "hardship/one.html")]
struct OnePage {
    desk: Desk,
    level: HardshipLevel,
    back: String,
    state: Cell,
    reason: Option<Note>,
    known: Pairs,
    family: Option<Pairs>,
    remove: Option<Form>,
}

async fn one(desk: Desk, Path((school, determination)): Path<(String, String)>) -> Result<Response, PageError> {
    let asked = GetHardshipRequest { school: school.clone(), determination };
    let level = desk.hardship().get_hardship(desk.request(asked)).await?.into_inner().level.unwrap_or_default();
    let dossier = (!level.dossier.is_empty()).then(|| Cell::link(Keeper::Aid.link(&level.dossier), "查看业务单"));
    let mut known = Pairs::default()
        .with("班级", level.class_name.as_str())
        .with("学年", school_year(level.school_year))
        .with("困难等级", name(&level))
        .with("适用", format!("{} 至 {}", level.from_date, level.last_date));
    if level.papers_asked {
        known = known.with("抽查", "请把该生的证明材料附在业务单上（其他学生签了承诺书即可）");
    }
    if let Some(dossier) = dossier {
        known = known.with("业务单", dossier);
    }
    let family = level.family.as_ref().map(|family| {
        Pairs::default()
            .some("特殊群体", &family.groups.join("、"))
            .with("家庭人口", format!("{}人（赡养{}人，劳动力{}人）", family.members, family.dependants, family.earners))
            .with("人均月收入", Cell::yuan(family.income_fen.unwrap_or_default()))
            .some("主要收入来源", &family.income_source)
            .some("困难原因", &family.cause)
            .with("承诺书", if family.pledged { "已签署" } else { "未签署" })
    });
    let remove = (desk.user.is_clerk() && level.state() == State::Draft).then(|| {
        Form::of::<RemoveHardshipRequest>(&desk, "remove", format!("{}/{}", path(&school), level.determination)).danger("移除", "").asks("移除后须重新录入")
    });
    let page = OnePage { back: path(&school), state: mark(&level), reason: Note::wrong(&level.reason), known, family, remove, level, desk };
    Ok(render(&page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RemoveForm {
    request_id: String,
}

async fn remove(desk: Desk, Path((school, determination)): Path<(String, String)>, Sent(sent): Sent<RemoveForm>) -> Result<Response, PageError> {
    let asked = RemoveHardshipRequest { school: school.clone(), determination };
    let level = desk.hardship().remove_hardship(desk.change(&sent.request_id, asked)).await?.into_inner().level.unwrap_or_default();
    Ok(desk.done(format!("已移除{}的认定。", level.name), path(&school)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_level_that_ends_nothing_of_the_family_is_asked() {
        let pairs = |level: &str| {
            vec![("level".to_owned(), level.to_owned()), ("group".into(), "低保".into()), ("group".into(), "孤儿".into()), ("pledged".into(), "on".into())]
        };
        let level = Filled::of(pairs("困难")).asked("1".into());
        assert_eq!((level.level.as_str(), level.family.map(|family| family.groups.len())), ("困难", Some(2)));
        let ends = Filled::of(pairs(ENDS)).asked("1".into());
        assert_eq!((ends.level.as_str(), ends.family), ("", None));
    }
}
