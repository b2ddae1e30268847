//! 问题台账: what the department confirmed, what became of the money, and who answers for it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{Path, Query},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_domain::Fen;
use xuezhu_proto::aid::{Case, CaseStep, FoundEnrollment, GetCaseRequest, ListCasesRequest, ListCasesResponse, RecordOutcomeRequest, StoryPeriod, case};
use xuezhu_service::refusal::{Error, Refusal};

use super::{
    Desk, PageError,
    evidence::{At, Block},
    flags::RULES,
    printed::{self, Every, ROWS_AT_ONCE},
    render, show,
};
use crate::{
    Gateway,
    parts::{
        Address, Cell, Field, Figure, Figures, Form, Pairs, Place, Row, Steps, Table, Tone,
        field::{Choice, blank_is_none},
        place::Way,
        steps::Step,
    },
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/cases", get(index).post(search)).route("/cases/{case}", get(page)).route("/cases/{case}/outcome", post(record))
}

/// Cases on a page.
const ROWS: i32 = 50;
/// States that are asked for.
const STATES: [&str; 4] = ["STANDING", "FOUND_AGAIN", "MENDED", "WITHDRAWN"];
/// Outcomes that are recorded.
const OUTCOMES: [&str; 5] = ["NOT_PAID", "STOPPED", "TO_RECOVER", "RECOVERED", "OTHER"];
/// Asked for where nobody recorded an outcome.
const NONE: &str = "NONE";

/// What narrows the register: all but a name stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IndexQuery {
    state: String,
    rule: String,
    term: String,
    outcome: String,
    #[serde(deserialize_with = "blank_is_none")]
    at: i32,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

/// The same, of somebody by name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NameForm {
    name: String,
    state: String,
    rule: String,
    term: String,
    outcome: String,
    #[serde(deserialize_with = "blank_is_none")]
    at: i32,
}

impl IndexQuery {
    /// The cases that are asked for, on a page of so many.
    fn asked(&self, name: &str, rows: i32, at: i32) -> ListCasesRequest {
        ListCasesRequest {
            state: case::State::from_str_name(&self.state).unwrap_or_default().into(),
            rule: self.rule.clone(),
            term: self.term.clone(),
            name: name.to_owned(),
            outcome: case::Outcome::from_str_name(&self.outcome).unwrap_or_default().into(),
            without_outcome: self.outcome == NONE,
            page_size: rows,
            page_number: at.max(1),
            ..ListCasesRequest::default()
        }
    }

    /// What narrows, as it is handed on.
    fn fields(&self) -> [(&'static str, &str); 4] {
        [("rule", &self.rule), ("state", &self.state), ("outcome", &self.outcome), ("term", &self.term)]
    }
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    desk: Desk,
    narrow: Form,
    find: Form,
    figures: Figures,
    cases: Table,
}

fn state(case: &Case) -> Cell {
    let tone = match case.state() {
        case::State::Standing | case::State::FoundAgain => Tone::Bad,
        case::State::Mended => Tone::Good,
        case::State::Withdrawn | case::State::Unspecified => Tone::Plain,
    };
    Cell::mark(tone, show::case_state(case.state().as_str_name()))
}

fn outcome_tone(outcome: case::Outcome) -> Tone {
    match outcome {
        case::Outcome::NotPaid | case::Outcome::Stopped | case::Outcome::Recovered => Tone::Good,
        case::Outcome::ToRecover => Tone::Bad,
        case::Outcome::Unspecified => Tone::Wait,
        case::Outcome::Other => Tone::Plain,
    }
}

/// The outcomes, with their words.
fn outcomes() -> impl Iterator<Item = Choice> {
    OUTCOMES.into_iter().map(|outcome| Choice::of(outcome, show::outcome(outcome)))
}

/// What narrows the register, in the address.
fn narrowing(desk: &Desk, query: &IndexQuery) -> Form {
    let recorded = std::iter::once(Choice::of(NONE, "未登记")).chain(outcomes());
    let form = Form::narrow(desk, "narrow", "/cases")
        .with(Field::narrows("rule", RULES.map(|rule| Choice::of(rule, show::rule(rule)))).called("规则").value(&query.rule))
        .with(Field::narrows("state", STATES.map(|state| Choice::of(state, show::case_state(state)))).value(&query.state))
        .with(Field::narrows("outcome", recorded).called("处理结果").value(&query.outcome));
    let form = if query.term.is_empty() { form } else { form.hidden("term", &query.term) };
    form.button("筛选")
}

/// Finds somebody by name, among what is narrowed.
fn finding(desk: &Desk, query: &IndexQuery, name: &str) -> Form {
    let form = Form::search(desk, "find", "/cases").with(Field::line("name").called("姓名").limit(60).value(name));
    let form = query.fields().into_iter().filter(|(_, asked)| !asked.is_empty()).fold(form, |form, (field, asked)| form.hidden(field, asked));
    form.button("查找")
}

fn figures(answer: &ListCasesResponse) -> Figures {
    let withdrawn = answer.total_size - answer.counted;
    let counted = Figure::count(answer.counted, "认定的问题");
    let at_stake = Figure::yuan(answer.amount_fen, "涉及金额（元）").tone_if(answer.amount_fen > 0, Tone::Bad);
    Figures(vec![
        if withdrawn > 0 { counted.formula(format!("另有已撤销 {withdrawn}")) } else { counted },
        if answer.amount_unknown > 0 { at_stake.formula(format!("另有 {} 条不详", answer.amount_unknown)) } else { at_stake },
        Figure::yuan(answer.to_recover_fen, "待追回（元）").tone_if(answer.to_recover_fen > 0, Tone::Wait),
        Figure::yuan(answer.recovered_fen, "已追回（元）").tone_if(answer.recovered_fen > 0, Tone::Good),
    ])
}

fn row(desk: &Desk, case: &Case) -> Row {
    let outcome = Cell::mark(outcome_tone(case.outcome()), show::outcome(case.outcome().as_str_name()));
    let outcome = if case.outcome_fen > 0 { outcome.beside(format!("{} 元", show::yuan(&case.outcome_fen))) } else { outcome };
    let (months, amount) =
        if case.amount_unknown { (Cell::text("不详"), Cell::text("不详")) } else { (Cell::from(show::months(&case.months)), Cell::yuan(case.amount_fen)) };
    Row::of([Cell::link(format!("/cases/{}", case.case), &case.name)])
        .and_if(!desk.user.is_school(), || Cell::from(&case.school_name))
        .and_if(true, || Cell::from(&case.rule_name))
        .and_if(true, || Cell::from(format!("{} {}", show::term(&case.term), &case.scheme_name)))
        .and_if(true, || months)
        .and_if(true, || amount)
        .and_if(true, || Cell::from(format!("{} {}", case.confirm_date, case.confirmed_by)))
        .and_if(true, || state(case))
        .and_if(true, || outcome)
}

fn table(desk: &Desk, cases: &[Case]) -> Table {
    Table::of("问题台账")
        .column("学生")
        .column_if(!desk.user.is_school(), "学校")
        .columns(["规则", "学期、项目", "月份"])
        .number("金额（元）")
        .columns(["认定", "状态", "处理结果"])
        .rows(cases.iter().map(|case| row(desk, case)))
}

/// All of them, to be printed.
async fn print(desk: Desk, query: &IndexQuery) -> Result<Response, PageError> {
    let mut every = Every::new();
    while let Some(at) = every.next() {
        let page = desk.register().list_cases(desk.request(query.asked("", ROWS_AT_ONCE, at))).await?.into_inner();
        every.take(page.cases, page.total_size)?;
    }
    let back = query.fields().into_iter().fold(Address::of("/cases"), |address, (field, asked)| address.with(field, asked));
    let rule = if query.rule.is_empty() { String::new() } else { show::rule(&query.rule).to_owned() };
    let state = if query.state.is_empty() { String::new() } else { show::case_state(&query.state).to_owned() };
    let table = table(&desk, &every.rows());
    Ok(printed::page(desk, "问题台账", &[rule, state, show::term(&query.term)], back, table))
}

async fn index(desk: Desk, Query(query): Query<IndexQuery>) -> Result<Response, PageError> {
    view(desk, query, "").await
}

async fn search(desk: Desk, Sent(sent): Sent<NameForm>) -> Result<Response, PageError> {
    let NameForm { name, state, rule, term, outcome, at } = sent;
    view(desk, IndexQuery { state, rule, term, outcome, at, print: false }, name.trim()).await
}

async fn view(desk: Desk, query: IndexQuery, name: &str) -> Result<Response, PageError> {
    if query.print {
        printed::may_print_people(&desk)?;
        return print(desk, &query).await;
    }
    let answer = desk.register().list_cases(desk.request(query.asked(name, ROWS, query.at))).await?.into_inner();
    let asked = || query.fields().into_iter();
    let way = if name.is_empty() {
        Way::Link(asked().fold(Address::of("/cases"), |address, (field, asked)| address.with(field, asked)))
    } else {
        let named = std::iter::once(("name", name)).chain(asked());
        Way::Posted { action: "/cases".into(), fields: named.map(|(field, asked)| (field.to_owned(), asked.to_owned())).collect() }
    };
    let whole = match &way {
        Way::Link(address) => printed::of_people(&desk, address),
        Way::Posted { .. } => None,
    };
    let cases = table(&desk, &answer.cases).place(Place::of(answer.total_size, "条", query.at.into(), ROWS).by_number(&way).printed(whole));
    let narrows = !name.is_empty() || asked().any(|(_, asked)| !asked.is_empty());
    let cases =
        if narrows { cases.empty("没有符合条件的记录。").empty_way("/cases", "全部") } else { cases.empty("还没有认定过的问题。") };
    let (narrow, find) = (narrowing(&desk, &query), finding(&desk, &query, name));
    Ok(render(&CasesPage { desk, narrow, find, figures: figures(&answer), cases }))
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    desk: Desk,
    case: Case,
    state: Cell,
    figures: Figures,
    confirmed: Pairs,
    /// What was recorded of the money; none where nothing was.
    outcome: Option<Pairs>,
    record: Option<Form>,
    evidence: Block,
    steps: Steps,
}

impl CasePage {
    /// The periods of an enrollment, as they were known then.
    fn periods(place: &FoundEnrollment) -> Steps {
        let step = |period: &StoryPeriod| {
            let until = if period.to.is_empty() { String::new() } else { format!(" 至 {} 前", period.to) };
            Step { what: show::state(&period.state).to_owned(), when: format!("{}{until}", period.from), ..Step::default() }
        };
        Steps(place.periods.iter().map(step).collect())
    }
}

async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, PageError> {
    shown(desk, id, String::new()).await
}

/// The page again, with why a file was not taken.
pub async fn with_fault(desk: Desk, id: String, fault: String) -> Result<Response, PageError> {
    shown(desk, id, fault).await
}

async fn shown(desk: Desk, id: String, fault: String) -> Result<Response, PageError> {
    let desk = desk.at(format!("/cases/{id}"));
    let evidence = Block::of(&desk, At::Case(id.clone()), fault);
    let mut register = desk.register();
    let (case, evidence) = tokio::join!(register.get_case(desk.request(GetCaseRequest { case: id })), evidence);
    let (case, evidence) = (case?.into_inner().case.unwrap_or_default(), evidence?);
    let record = (desk.user.decides_aid_for(&case.authority) && case.state() != case::State::Withdrawn).then(|| recording(&desk, &case));
    let at_stake = if case.amount_unknown { "不详".to_owned() } else { show::yuan(&case.amount_fen) };
    let months = if case.amount_unknown { "不详".to_owned() } else { show::months(&case.months) };
    let figures = Figures(vec![Figure::said(at_stake, "认定时涉及金额（元）").tone_if(case.amount_fen > 0, Tone::Bad), Figure::said(months, "认定时所列月份")]);
    let step = |step: &CaseStep| Step {
        what: show::case_act(&step.act).to_owned(),
        when: step.date.clone(),
        who: step.actor.clone(),
        beside: if step.months.is_empty() { String::new() } else { format!("{}，{} 元", show::months(&step.months), show::yuan(&step.amount_fen)) },
        text: step.text.clone(),
    };
    let outcome = (!case.outcome_date.is_empty()).then(|| recorded(&case));
    let confirmed = Pairs::default().with("认定人", format!("{}，{}", case.confirmed_by, case.confirm_date)).with("理由", &case.reason);
    let steps = Steps(case.steps.iter().map(step).collect());
    Ok(render(&CasePage { state: state(&case), figures, confirmed, outcome, record, evidence, steps, case, desk }))
}

/// What was recorded of the money.
fn recorded(case: &Case) -> Pairs {
    let mark = Cell::mark(outcome_tone(case.outcome()), show::outcome(case.outcome().as_str_name()));
    let amount = (case.outcome_fen > 0).then(|| Cell::text(format!("{} 元", show::yuan(&case.outcome_fen))));
    Pairs::default()
        .with("结果", mark.maybe(amount))
        .some("说明", &case.outcome_text)
        .some("责任人", &case.responsible)
        .with("登记", format!("{}，{}", case.outcome_by, case.outcome_date))
}

/// Records what became of the money.
fn recording(desk: &Desk, case: &Case) -> Form {
    let amount = if case.outcome_fen > 0 { Fen(case.outcome_fen).yuan() } else { String::new() };
    let outcome = if case.outcome() == case::Outcome::Unspecified { "" } else { case.outcome().as_str_name() };
    Form::of::<RecordOutcomeRequest>(desk, "outcome", format!("/cases/{}/outcome", case.case))
        .hidden("etag", &case.etag)
        .with(Field::choice("outcome", std::iter::once(Choice::of("", "请选择")).chain(outcomes())).required().value(outcome))
        .with(Field::number("yuan").known_as("amount_fen").hint("待追回、已追回的必填").value(amount))
        .with(Field::line("responsible").limit(60).value(&case.responsible))
        .with(Field::lines("text").value(&case.outcome_text))
        .button("登记")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutcomeForm {
    request_id: String,
    etag: String,
    outcome: String,
    yuan: String,
    text: String,
    responsible: String,
}

/// Yuan as people type them, in fen: `1,200`, `1200.50`; nothing is none.
fn fen(yuan: &str) -> Option<i64> {
    let plain: String = yuan.chars().filter(|c| !c.is_whitespace() && !matches!(c, ',' | '，' | '元')).collect();
    if plain.is_empty() {
        return Some(0);
    }
    let (whole, cents) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |text: &str, most: usize| text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole, 9) || !digits(cents, 2) {
        return None;
    }
    Some(whole.parse::<i64>().ok()? * 100 + format!("{cents:0<2}").parse::<i64>().ok()?)
}

async fn record(desk: Desk, Path(case): Path<String>, Sent(sent): Sent<OutcomeForm>) -> Result<Response, PageError> {
    let OutcomeForm { request_id, etag, outcome, yuan, text, responsible } = sent;
    let wrong = || Status::from(Error::from(Refusal::field("amount_fen", "应为元，最多两位小数，如1200或1200.50")));
    let amount_fen = fen(&yuan).ok_or_else(wrong)?;
    let page = format!("/cases/{case}");
    let outcome = case::Outcome::from_str_name(&outcome).unwrap_or_default().into();
    let asked = RecordOutcomeRequest { case, outcome, amount_fen, text, responsible, etag };
    desk.register().record_outcome(desk.change(&request_id, asked)).await?;
    Ok(desk.done("处理结果已登记。", page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (text, read) in [
            ("", Some(0)),
            ("1200", Some(120_000)),
            ("1,200.5", Some(120_050)),
            (" 0.07 元", Some(7)),
            ("1.234", None),
            ("-1", None),
            ("一百", None),
            (".5", None),
            ("9999999999", None),
        ] {
            assert_eq!(fen(text), read, "{text:?}");
        }
    }

    #[test]
    fn every_state_and_outcome_can_be_chosen() {
        let states: Vec<&str> = (1..=4).filter_map(|number| case::State::try_from(number).ok()).map(|state| state.as_str_name()).collect();
        let outcomes: Vec<&str> = (1..=5).filter_map(|number| case::Outcome::try_from(number).ok()).map(|outcome| outcome.as_str_name()).collect();
        assert_eq!((&states[..], &outcomes[..]), (&STATES[..], &OUTCOMES[..]));
        assert!(STATES.iter().all(|state| !show::case_state(state).is_empty()) && OUTCOMES.iter().all(|outcome| show::outcome(outcome) != "未登记"));
    }
}
