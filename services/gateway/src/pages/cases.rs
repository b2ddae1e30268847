//! 问题台账: what the department confirmed, what became of the money, and who answers for it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_domain::Fen;
use xuezhu_proto::aid::{Case, GetCaseRequest, ListCasesRequest, ListCasesResponse, RecordOutcomeRequest, case};

use super::{
    Desk, PageError,
    evidence::{At, Block},
    flags::RULES,
    render, show,
};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/cases", get(index)).route("/cases/{case}", get(page)).route("/cases/{case}/outcome", post(record))
}

/// Cases on a page.
const ROWS: i32 = 50;
/// States that are asked for.
const STATES: [&str; 4] = ["STANDING", "FOUND_AGAIN", "MENDED", "WITHDRAWN"];
/// Outcomes that are recorded.
const OUTCOMES: [&str; 5] = ["NOT_PAID", "STOPPED", "TO_RECOVER", "RECOVERED", "OTHER"];
/// Asked for where nobody recorded an outcome.
const NONE: &str = "NONE";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IndexQuery {
    name: String,
    state: String,
    rule: String,
    term: String,
    outcome: String,
    page: String,
}

impl IndexQuery {
    /// Whether anything narrows the list.
    fn narrows(&self) -> bool {
        [&self.name, &self.state, &self.rule, &self.term, &self.outcome].into_iter().any(|asked| !asked.is_empty())
    }
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    desk: Desk,
    answer: ListCasesResponse,
    query: IndexQuery,
    rules: [&'static str; 8],
    states: [&'static str; 4],
    outcomes: [&'static str; 5],
    none: &'static str,
}

/// The class of a case's tag.
fn tag(case: &Case) -> &'static str {
    match case.state() {
        case::State::Standing | case::State::FoundAgain => "bad",
        case::State::Mended => "good",
        case::State::Withdrawn | case::State::Unspecified => "",
    }
}

impl CasesPage {
    fn tag(case: &Case) -> &'static str {
        tag(case)
    }

    fn state_of(case: &Case) -> &'static str {
        show::case_state(case.state().as_str_name())
    }

    fn outcome_of(case: &Case) -> &'static str {
        show::outcome(case.outcome().as_str_name())
    }
}

async fn index(desk: Desk, Query(query): Query<IndexQuery>) -> Result<Response, PageError> {
    let asked = ListCasesRequest {
        school: String::new(),
        state: case::State::from_str_name(&query.state).unwrap_or_default().into(),
        rule: query.rule.clone(),
        term: query.term.clone(),
        name: query.name.trim().to_owned(),
        outcome: case::Outcome::from_str_name(&query.outcome).unwrap_or_default().into(),
        without_outcome: query.outcome == NONE,
        page_size: ROWS,
        page_token: query.page.clone(),
    };
    let answer = desk.register().list_cases(desk.request(asked)).await?.into_inner();
    Ok(render(&CasesPage { desk, answer, query, rules: RULES, states: STATES, outcomes: OUTCOMES, none: NONE }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    done: bool,
    evidence: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    desk: Desk,
    case: Case,
    done: bool,
    request_id: String,
    outcomes: [&'static str; 5],
    can_record: bool,
    evidence: Block,
}

impl CasePage {
    fn tag(&self) -> &'static str {
        tag(&self.case)
    }

    fn state(&self) -> &'static str {
        show::case_state(self.case.state().as_str_name())
    }

    fn outcome(&self) -> &'static str {
        self.case.outcome().as_str_name()
    }

    /// The amount as it is filled in; blank where there is none.
    fn amount(&self) -> String {
        if self.case.outcome_fen > 0 { Fen(self.case.outcome_fen).yuan() } else { String::new() }
    }
}

async fn page(desk: Desk, Path(id): Path<String>, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    shown(desk, id, query, String::new()).await
}

/// The page again, with why something about its evidence was refused.
pub async fn with_fault(desk: Desk, id: String, fault: String) -> Result<Response, PageError> {
    shown(desk, id, PageQuery::default(), fault).await
}

async fn shown(desk: Desk, id: String, query: PageQuery, fault: String) -> Result<Response, PageError> {
    let evidence = Block::of(&desk, At::Case(id.clone()), fault, &query.evidence);
    let mut register = desk.register();
    let (case, evidence) = tokio::join!(register.get_case(desk.request(GetCaseRequest { case: id })), evidence);
    let (case, evidence) = (case?.into_inner().case.unwrap_or_default(), evidence?);
    let can_record = desk.user.decides_for(&case.authority) && case.state() != case::State::Withdrawn;
    let request_id = desk.new_request_id();
    Ok(render(&CasePage { desk, case, done: query.done, request_id, outcomes: OUTCOMES, can_record, evidence }))
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

async fn record(desk: Desk, Path(id): Path<String>, Form(form): Form<OutcomeForm>) -> Result<Response, PageError> {
    let Some(amount_fen) = fen(&form.yuan) else { return Err(Status::invalid_argument("金额：应为元，最多两位小数，如1200或1200.50").into()) };
    let asked = RecordOutcomeRequest {
        case: id.clone(),
        outcome: case::Outcome::from_str_name(&form.outcome).unwrap_or_default().into(),
        amount_fen,
        text: form.text,
        responsible: form.responsible,
        etag: form.etag,
    };
    desk.register().record_outcome(desk.change(&form.request_id, asked)).await?;
    Ok(Redirect::to(&format!("/cases/{id}?done=true")).into_response())
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
