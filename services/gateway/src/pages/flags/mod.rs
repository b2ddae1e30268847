//! Flags: grouped by cause and school, explained and decided together; one flag with both sides.

mod advice;
mod many;

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_domain::{Month, enrollment::PeriodState, text::comparable_name};
use xuezhu_judge::case::Stage;
use xuezhu_proto::aid::{
    Cause, ClearFlagRequest, ConfirmFlagRequest, ExplainCauseRequest, ExplainFlagRequest, Flag, GetFlagRequest, ListCausesRequest, ListFlagsRequest,
    TakeOutFlagsRequest, flag, scheme,
};

use self::advice::{Looks, Stands};
use super::{
    Desk, PageError, StripMonth, render, show,
    takeouts::{Offer, Told, give},
    unknown_act,
};
use crate::{Gateway, takeouts::Asked};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/flags", get(index))
        .route("/flags/{flag}", get(page).post(act))
        .route("/flags/decide", post(many::act))
        .route("/flags/takeOut", post(take_out))
        .route("/causes/{cause}/explain", post(explain_cause))
        .route("/causes/{cause}/decide", post(many::decide_cause))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IndexQuery {
    rule: String,
    state: String,
    term: String,
    cause: String,
    page: String,
    all: bool,
    /// Only confirmed ones to which the school added something.
    added: bool,
    /// How many were decided just now.
    decided: i32,
    /// What a workbook of them is for.
    purpose: String,
}

/// Causes that are shown before somebody asks for all.
const CAUSES: usize = 20;

#[derive(Template)]
#[template(path = "flags.html")]
struct FlagsPage {
    desk: Desk,
    causes: Vec<Cause>,
    /// Those of them that the filter leaves, and how many more there are.
    shown: Vec<Cause>,
    hidden: usize,
    flags: Vec<Flag>,
    query: IndexQuery,
    next: String,
    request_id: String,
    rules: [&'static str; 8],
    takeout: Option<Offer>,
}

impl FlagsPage {
    fn state_of(flag: &Flag) -> &'static str {
        show::state(flag.state().as_str_name())
    }

    /// Whether who looks may do something about a flag beside reading it.
    fn tickable(&self, flag: &Flag) -> bool {
        self.desk.user.decides_for(&flag.authority) && many::Act::ALL.into_iter().any(|act| many::Ticked::of(flag).fits(act))
    }

    fn can_tick(&self) -> bool {
        self.flags.iter().any(|flag| self.tickable(flag))
    }

    fn ticked(flag: &Flag) -> String {
        many::Ticked::of(flag).to_string()
    }

    /// Whether who looks decides the flags of the cause that is shown.
    fn decides(&self) -> bool {
        self.flags.iter().any(|flag| self.desk.user.decides_for(&flag.authority))
    }

    fn whom(cause: &Cause) -> String {
        show::whom(&cause.name, cause.flags)
    }
}

/// Whether a filter of single flags leaves a cause.
fn leaves(query: &IndexQuery, cause: &Cause) -> bool {
    let in_state = match query.state.as_str() {
        "OPEN" => cause.open > 0,
        "EXPLAINED" => cause.explained > 0,
        "CONFIRMED" => cause.flags > cause.open + cause.explained,
        "" => true,
        _ => false,
    };
    in_state && (query.rule.is_empty() || query.rule == cause.rule)
}

/// Every rule, in the order in which pages name them.
pub const RULES: [&str; 8] = [
    "NO_ENROLLMENT",
    "NOT_YET_REGISTERED",
    "NOT_VALID_IN_TERM",
    "OTHER_SCHOOL",
    "IDENTITY_MISMATCH",
    "IDENTITY_UNVERIFIED",
    "DUPLICATE_AWARD",
    "MISSING_AWARD",
];

async fn index(desk: Desk, Query(query): Query<IndexQuery>) -> Result<Response, PageError> {
    view(desk, query, Told::default()).await
}

/// A school's flags that are shown, as a workbook.
async fn take_out(desk: Desk, Form(query): Form<IndexQuery>) -> Result<Response, PageError> {
    let asked = TakeOutFlagsRequest {
        school: desk.user.org.clone(),
        purpose: query.purpose.clone(),
        rule: query.rule.clone(),
        state: flag::State::from_str_name(&query.state).unwrap_or_default().into(),
        term: query.term.clone(),
    };
    match give(desk, Asked::Flags(asked), query.purpose.clone()).await? {
        Ok(workbook) => Ok(workbook),
        Err((desk, told)) => view(desk, query, told).await,
    }
}

async fn view(desk: Desk, query: IndexQuery, told: Told) -> Result<Response, PageError> {
    let causes =
        desk.reconciliation().list_causes(desk.request(ListCausesRequest { school: String::new(), term: query.term.clone() })).await?.into_inner().causes;
    let asked = ListFlagsRequest {
        rule: query.rule.clone(),
        state: flag::State::from_str_name(&query.state).unwrap_or_default().into(),
        term: query.term.clone(),
        cause: query.cause.clone(),
        page_size: 50,
        page_token: query.page.clone(),
        unclosed: true,
        added: query.added,
        ..Default::default()
    };
    let answer = desk.reconciliation().list_flags(desk.request(asked)).await?.into_inner();
    let mut shown: Vec<Cause> = causes.iter().filter(|cause| leaves(&query, cause)).cloned().collect();
    let hidden = if query.all { 0 } else { shown.len().saturating_sub(CAUSES) };
    shown.truncate(shown.len() - hidden);
    let request_id = desk.new_request_id();
    // A department's list is of many schools, a workbook of one.
    let school = if desk.user.is_school() { desk.user.org.clone() } else { String::new() };
    let fields = vec![("rule", query.rule.clone()), ("state", query.state.clone()), ("term", query.term.clone())];
    let takeout = Offer::of(&desk.user, &school, "/flags/takeOut", fields, told);
    Ok(render(&FlagsPage { takeout, desk, causes, shown, hidden, flags: answer.flags, query, next: answer.next_page_token, request_id, rules: RULES }))
}

#[derive(Deserialize)]
struct CauseForm {
    request_id: String,
    etag: String,
    #[serde(default)]
    term: String,
    text: String,
}

async fn explain_cause(desk: Desk, Path(cause): Path<String>, Form(form): Form<CauseForm>) -> Result<Response, PageError> {
    let asked = ExplainCauseRequest { cause: cause.clone(), text: form.text, etag: form.etag, term: form.term };
    desk.reconciliation().explain_cause(desk.change(&format!("{}-{cause}", form.request_id), asked)).await?;
    Ok(Redirect::to("/flags").into_response())
}

#[derive(Template)]
#[template(path = "flag.html")]
struct FlagPage {
    desk: Desk,
    flag: Flag,
    strip: Vec<StripMonth>,
    claimed_name: Vec<(char, bool)>,
    registered_name: Vec<(char, bool)>,
    finding: &'static str,
    next_act: String,
    ways: Vec<Way>,
    request_id: String,
    can_explain: bool,
    can_confirm: bool,
    can_clear: bool,
}

impl FlagPage {
    fn state(&self) -> &'static str {
        show::state(self.flag.state().as_str_name())
    }
}

async fn page(desk: Desk, Path(flag): Path<String>) -> Result<Response, PageError> {
    let flag = desk.reconciliation().get_flag(desk.request(GetFlagRequest { flag })).await?.into_inner().flag.unwrap_or_default();
    let evidence = flag.evidence.clone().unwrap_or_default();
    let claimed = evidence.claim.as_ref().map(|claim| claim.name.clone()).unwrap_or_default();
    let differs = !evidence.registered_name.is_empty() && !claimed.is_empty() && comparable_name(&claimed) != comparable_name(&evidence.registered_name);
    let mark = |text: &str, other: &str| if differs { show::differing(text, other) } else { text.chars().map(|c| (c, false)).collect() };
    let state = flag.state();
    let (school, officer) = (desk.user.is_school(), desk.user.decides_for(&flag.authority));
    let (stands, looks) = (Stands::of(flag.entry_state()), looks(&desk, &flag));
    use flag::State as S;
    let view = FlagPage {
        strip: strip(&flag),
        claimed_name: mark(&claimed, &evidence.registered_name),
        registered_name: mark(&evidence.registered_name, &claimed),
        finding: advice::finding(&flag.rule),
        next_act: advice::next(state, &flag.rule, stands, looks),
        ways: advice::ways(state, &flag.rule, stands, looks).into_iter().filter_map(|way| button(&desk, &flag, way)).collect(),
        request_id: desk.new_request_id(),
        can_explain: school && matches!(state, S::Open | S::Explained | S::Confirmed),
        can_confirm: officer && (matches!(state, S::Open | S::Explained | S::Cleared) || (state == S::Confirmed && flag.changed)),
        can_clear: officer && matches!(state, S::Open | S::Explained | S::Confirmed),
        flag,
        desk,
    };
    Ok(render(&view))
}

/// Who looks at a flag.
fn looks(desk: &Desk, flag: &Flag) -> Looks {
    if desk.user.is_clerk() {
        Looks::Clerk
    } else if desk.user.is_principal() {
        Looks::Principal
    } else if desk.user.decides_for(&flag.authority) {
        Looks::Officer
    } else {
        Looks::Other
    }
}

/// A lawful act that mends a flag, as a button.
struct Way {
    label: &'static str,
    /// Where it goes.
    link: String,
    /// What is posted there; empty where the button only opens a page.
    fields: Vec<(&'static str, String)>,
}

/// The button of a way; none where what it leads to is not there.
fn button(desk: &Desk, flag: &Flag, way: advice::Way) -> Option<Way> {
    use advice::Way as W;
    let list = format!("/schools/{}/lists/{}", flag.school, flag.list);
    let request_id = || ("request_id", desk.new_request_id());
    let open = |label, link| Some(Way { label, link, fields: Vec::new() });
    match way {
        W::Remove => {
            let fields = vec![("act", "remove".to_owned()), ("entry", flag.entry.clone()), request_id()];
            Some(Way { label: "移出名单", link: list, fields })
        }
        W::Upload => open("改正后重新上传名单", list),
        W::Register => open("为该生办理学籍注册", "/import".to_owned()),
        W::Supplement => {
            let scheme = scheme::Code::try_from(flag.scheme).unwrap_or_default().as_str_name().to_owned();
            let fields = vec![("scheme", scheme), ("term", flag.term.clone()), request_id()];
            Some(Way { label: "打开（补充）名单补报", link: "/lists".to_owned(), fields })
        }
        W::SendBack => {
            let reason = format!("有疑点：{}", flag.rule_name);
            let fields = vec![("act", "sendBack".to_owned()), ("entry", flag.entry.clone()), ("reason", reason), request_id()];
            Some(Way { label: "退回这一条", link: list, fields })
        }
        W::OpenList => open("打开名单", list),
        // The enrollment's own page holds the acts on it: return from leave for the school, correction for the department.
        W::ChangeStatus => open("补办复学等异动", enrollment(flag)?),
        W::CorrectIdentity => open("办理信息变更", enrollment(flag)?),
    }
}

/// The page of the approved enrollment at the list's school.
fn enrollment(flag: &Flag) -> Option<String> {
    let places = &flag.evidence.as_ref()?.enrollments;
    let place = places.iter().find(|place| Stage::parse(&place.stage) == Some(Stage::Approved) && place.school == flag.school)?;
    Some(format!("/schools/{}/enrollments/{}", place.school, place.enrollment))
}

/// The months of the claim: what the list says over what the enrollment says.
fn strip(flag: &Flag) -> Vec<StripMonth> {
    let evidence = flag.evidence.clone().unwrap_or_default();
    let mut months: Vec<i32> = evidence.claim.as_ref().map(|claim| claim.months.clone()).unwrap_or_default();
    months.extend(&flag.months);
    months.sort_unstable();
    months.dedup();
    months
        .into_iter()
        .map(|month| {
            let flagged = flag.months.contains(&month);
            let claimed = evidence.claim.as_ref().is_some_and(|claim| claim.months.contains(&month));
            let (place, place_class) = place_in(&evidence, month);
            let (claim, claim_class) = match (claimed, flagged) {
                (true, true) => ("列入·疑点".to_owned(), "bad"),
                (true, false) => ("列入".to_owned(), "good"),
                (false, true) => ("未列入".to_owned(), "bad"),
                (false, false) => (String::new(), ""),
            };
            StripMonth { month, place, place_class, claim, claim_class }
        })
        .collect()
}

fn place_in(evidence: &xuezhu_proto::aid::Evidence, month: i32) -> (&'static str, &'static str) {
    if evidence.elsewhere_months.contains(&month) {
        return ("他校在读", "bad");
    }
    let Ok(month) = Month::try_from(month) else { return ("", "") };
    let (begin, end) = (month.first_day().to_string(), month.end().to_string());
    let periods = || evidence.enrollments.iter().flat_map(|enrollment| &enrollment.periods);
    let period = periods()
        .find(|period| period.from <= begin && (period.to.is_empty() || period.to > begin))
        .or_else(|| periods().find(|period| period.from > begin && period.from < end));
    match period.map(|period| PeriodState::parse(&period.state)) {
        Some(PeriodState::InSchool) => ("在读", "good"),
        Some(PeriodState::OnLeave) => ("休学", "wait"),
        Some(PeriodState::Withdrawn | PeriodState::NeverCame | PeriodState::Unknown) => ("已离校", "gone"),
        None if evidence.enrollments.iter().any(|place| Stage::parse(&place.stage) == Some(Stage::Submitted)) => ("待审", "wait"),
        None => ("无", "gone"),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    request_id: String,
    etag: String,
    act: String,
    text: String,
}

async fn act(desk: Desk, Path(flag): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    let back = format!("/flags/{flag}");
    let ActForm { request_id, etag, act, text } = form;
    let mut client = desk.reconciliation();
    match act.as_str() {
        "explain" => drop(client.explain_flag(desk.change(&request_id, ExplainFlagRequest { flag, text, etag })).await?),
        "confirm" => drop(client.confirm_flag(desk.change(&request_id, ConfirmFlagRequest { flag, reason: text, etag })).await?),
        "clear" => drop(client.clear_flag(desk.change(&request_id, ClearFlagRequest { flag, reason: text, etag })).await?),
        unknown => return Err(unknown_act(unknown)),
    }
    Ok(Redirect::to(&back).into_response())
}
