//! 业务单: what goes from desk to desk, whichever service keeps it. A search, and a page for each with its desks, its history, its sheet
//! as it was signed, and what whoever looks may do.

mod keeper;

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::common::{Dossier, DossierAct, DossierItem, DossierKind, DossierStep, dossier, dossier_act, dossier_item, dossier_step};

use self::keeper::{Asked, Deed, Found};
pub use self::keeper::{Keeper, NewChain};
use super::{
    Desk, PageError,
    evidence::{At, Block},
    render, session, show,
    takeouts::{Offer, Told, give},
    unknown_act,
};
use crate::Gateway;

/// Dossiers on a page.
const ROWS: i32 = 50;
/// Lines of a sheet on a page.
const LINES: i32 = 500;
/// Lines that are asked for at once where all are shown.
const LINES_AT_ONCE: i32 = 1000;
/// Bytes of a form in which every line of a page may be ticked.
const FORM_BYTES: usize = 1024 * 1024;
/// States that are looked for.
const STATES: [&str; 4] = ["UNDER_WAY", "DONE", "RETURNED", "RECALLED"];
/// States of lines that are looked for.
const LINE_STATES: [&str; 5] = ["WAITING", "PERFORMED", "SENT_BACK", "REFUSED", "RECALLED"];

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/dossiers", get(index))
        .route("/dossiers/takeOut", post(take_out))
        .route("/dossiers/{keeper}/{dossier}", get(page).post(act))
        .route("/dossiers/{keeper}/{dossier}/print", get(print))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IndexQuery {
    keeper: String,
    kind: String,
    state: String,
    school: String,
    name: String,
    item: String,
    about: String,
    page: String,
    /// What a workbook of them is for.
    purpose: String,
}

impl IndexQuery {
    /// Whether anything narrows the list.
    fn narrows(&self) -> bool {
        [&self.kind, &self.state, &self.school, &self.name, &self.item, &self.about].into_iter().any(|asked| !asked.is_empty())
    }
}

#[derive(Template)]
#[template(path = "dossiers.html")]
struct IndexPage {
    desk: Desk,
    query: IndexQuery,
    keeper: Keeper,
    keepers: Vec<Keeper>,
    states: [&'static str; 4],
    kinds: Vec<DossierKind>,
    rows: Vec<Dossier>,
    next: String,
    takeout: Option<Offer>,
}

/// The class of a dossier's tag.
fn tag(dossier: &Dossier) -> &'static str {
    match dossier.state() {
        dossier::State::UnderWay if dossier.overdue => "bad",
        dossier::State::UnderWay => "wait",
        dossier::State::Done => "good",
        dossier::State::Returned | dossier::State::Recalled | dossier::State::Unspecified => "",
    }
}

fn state_of(dossier: &Dossier) -> String {
    match dossier.state() {
        dossier::State::UnderWay => show::waits(dossier),
        other => show::dossier_state(other.as_str_name()).to_owned(),
    }
}

impl IndexPage {
    fn tag(dossier: &Dossier) -> &'static str {
        tag(dossier)
    }

    fn state_of(dossier: &Dossier) -> String {
        state_of(dossier)
    }

    fn count(dossier: &Dossier) -> i32 {
        dossier.waiting + dossier.performed + dossier.left
    }
}

async fn index(desk: Desk, Query(query): Query<IndexQuery>) -> Result<Response, PageError> {
    search(desk, query, Told::default()).await
}

/// Whose dossiers a workbook would hold: a department names the school.
fn school_of(desk: &Desk, query: &IndexQuery) -> String {
    if desk.user.is_school() { desk.user.org.clone() } else { query.school.trim().to_owned() }
}

/// A school's dossiers that are shown, as a workbook.
async fn take_out(desk: Desk, Form(query): Form<IndexQuery>) -> Result<Response, PageError> {
    let keeper = Keeper::of(&query.keeper).unwrap_or(Keeper::Enrollment);
    let state = dossier::State::from_str_name(&query.state).unwrap_or_default();
    let asked = keeper.taken_out(school_of(&desk, &query), query.purpose.clone(), query.kind.clone(), state, query.name.trim().to_owned());
    match give(desk, asked, query.purpose.clone()).await? {
        Ok(workbook) => Ok(workbook),
        Err((desk, told)) => search(desk, query, told).await,
    }
}

async fn search(desk: Desk, query: IndexQuery, told: Told) -> Result<Response, PageError> {
    let keeper = Keeper::of(&query.keeper).unwrap_or(Keeper::Enrollment);
    let asked = Asked {
        school: query.school.trim().to_owned(),
        kind: query.kind.clone(),
        state: dossier::State::from_str_name(&query.state).unwrap_or_default(),
        name: query.name.trim().to_owned(),
        item: query.item.clone(),
        about: query.about.clone(),
        page: query.page.clone(),
    };
    let Found { dossiers: rows, next, kinds } = keeper.list(&desk, asked, ROWS).await?;
    let asked = [("keeper", keeper.word()), ("kind", &query.kind), ("state", &query.state), ("school", &query.school), ("name", &query.name)];
    let fields = asked.map(|(name, value)| (name, value.to_owned())).to_vec();
    // What is about one thing or one student is narrowed further than a workbook can be.
    let whole = query.item.is_empty() && query.about.is_empty();
    let takeout = Offer::of(&desk.user, &school_of(&desk, &query), "/dossiers/takeOut", fields, told).filter(|_| whole);
    Ok(render(&IndexPage { takeout, desk, query, keeper, keepers: Keeper::ALL.to_vec(), states: STATES, kinds, rows, next }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    state: String,
    page: String,
    done: String,
    evidence: String,
}

/// What whoever looks may do: what the page offers. The service decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each act")]
struct May {
    decide: bool,
    note: bool,
    recall: bool,
    nudge: bool,
    nudged_today: bool,
    take: bool,
}

impl May {
    fn of(user: &session::User, dossier: &Dossier, today: &str) -> Self {
        let Some(present) = dossier.steps.iter().find(|step| step.present) else { return Self::default() };
        let of_school = user.is_school() && user.org == dossier.school;
        // A desk that is no department's is the principal's.
        let here = if present.authority.is_empty() { of_school && user.is_principal() } else { user.decides_for(&present.authority) };
        let notes = present.duty() == dossier_step::Duty::Notes;
        let signed = dossier.history.iter().any(|act| matches!(act.act(), dossier_act::Act::Sign | dossier_act::Act::Order));
        // A deputy who submitted it waits like the school does.
        let here = here && (notes || !dossier.own);
        let asks = of_school && !here;
        let nudged_today = dossier.nudged_date == today;
        Self {
            decide: here && !notes,
            note: here && notes,
            recall: of_school && user.is_clerk() && !signed && !notes,
            nudge: asks && !nudged_today,
            nudged_today: asks && nudged_today,
            take: here,
        }
    }

    fn anything(self) -> bool {
        self.decide || self.note || self.recall || self.nudge || self.nudged_today || self.take
    }
}

/// A desk as the page shows it, with what it did last.
struct Stand {
    step: DossierStep,
    /// Who signed, when, and what they read; none where it did not.
    signed: Option<DossierAct>,
    /// It must have signed, and nobody kept who did.
    unknown: bool,
}

fn stands(dossier: &Dossier) -> Vec<Stand> {
    let finished = dossier.state() == dossier::State::Done;
    let stand = |step: &DossierStep| {
        let did = |act: &&DossierAct| act.step == step.step && matches!(act.act(), dossier_act::Act::Sign | dossier_act::Act::Note | dossier_act::Act::Order);
        let signed = dossier.history.iter().rev().find(did).filter(|act| !act.name.is_empty()).cloned();
        let passed = finished || step.step < dossier.step;
        let unknown = signed.is_none() && passed && step.duty() == dossier_step::Duty::Decides && dossier.performed > 0;
        Stand { step: step.clone(), signed, unknown }
    };
    dossier.steps.iter().map(stand).collect()
}

#[derive(Template)]
#[template(path = "dossier.html")]
struct DossierPage {
    desk: Desk,
    keeper: Keeper,
    dossier: Dossier,
    stands: Vec<Stand>,
    items: Vec<DossierItem>,
    line_states: [&'static str; 5],
    query: PageQuery,
    next: String,
    request_id: String,
    may: May,
    evidence: Block,
    /// Every line, to be printed.
    all: bool,
}

impl DossierPage {
    fn tag(&self) -> &'static str {
        tag(&self.dossier)
    }

    fn state(&self) -> String {
        state_of(&self.dossier)
    }

    fn path(&self) -> String {
        self.keeper.link(&self.dossier.dossier)
    }

    fn act_of(act: &DossierAct) -> &'static str {
        show::dossier_act(act.act().as_str_name())
    }

    fn desk_of(&self, act: &DossierAct) -> String {
        match act.act() {
            dossier_act::Act::Submit | dossier_act::Act::Recall | dossier_act::Act::Nudge => session::role_name(&act.role).to_owned(),
            _ if act.role == "PRINCIPAL_DEPUTY" => session::role_name(&act.role).to_owned(),
            _ => self.dossier.steps.iter().find(|step| step.step == act.step).map(|step| step.desk.clone()).unwrap_or_default(),
        }
    }

    fn line_state(item: &DossierItem) -> &'static str {
        show::dossier_item_state(item.state().as_str_name())
    }

    fn line_tag(item: &DossierItem) -> &'static str {
        match item.state() {
            dossier_item::State::Performed => "good",
            dossier_item::State::SentBack | dossier_item::State::Refused => "bad",
            dossier_item::State::Waiting if !item.refusal.is_empty() => "bad",
            dossier_item::State::Waiting => "wait",
            dossier_item::State::Recalled | dossier_item::State::Unspecified => "",
        }
    }

    fn waits(item: &DossierItem) -> bool {
        item.state() == dossier_item::State::Waiting
    }

    /// The page of the student that a line is about, where a line is one.
    fn student(&self, item: &DossierItem) -> Option<String> {
        match self.keeper {
            Keeper::Enrollment => Some(format!("/schools/{}/enrollments/{}", self.dossier.school, item.item)),
            Keeper::Aid => None,
        }
    }

    /// The sheet of the business itself, where it has a page of its own.
    fn business(&self) -> Option<(String, &'static str)> {
        let Dossier { school, dossier, subject, .. } = &self.dossier;
        match self.keeper {
            Keeper::Enrollment if self.dossier.kind == "REGISTRATION" => Some((format!("/schools/{school}/submissions/{dossier}"), "人数构成、与上一批的比较")),
            Keeper::Aid if self.dossier.kind == "AWARD_LIST" && !subject.is_empty() => Some((format!("/schools/{school}/lists/{subject}"), "名单与疑点")),
            Keeper::Enrollment | Keeper::Aid => None,
        }
    }

    fn notes(stand: &Stand) -> bool {
        stand.step.duty() == dossier_step::Duty::Notes
    }

    fn done_text(&self) -> &'static str {
        match self.query.done.as_str() {
            "sign" => "已审签。",
            "sendBack" => "已退回。",
            "refuse" => "已登记为不予通过。",
            "recall" => "已撤回。",
            "note" => "已备案。",
            "handOver" => "已移交经办。",
            "nudge" => "已催办，对方的待办中会显示。",
            _ => "",
        }
    }
}

/// The keeper that a link names.
pub fn kept_by(word: &str) -> Result<Keeper, PageError> {
    Keeper::of(word).ok_or_else(|| PageError::Refused(Status::not_found("没有这个业务单")))
}

async fn page(desk: Desk, Path((keeper, id)): Path<(String, String)>, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    shown(desk, kept_by(&keeper)?, id, query, String::new()).await
}

/// The page again, with why something about its evidence was refused.
pub async fn with_fault(desk: Desk, keeper: Keeper, id: String, fault: String) -> Result<Response, PageError> {
    shown(desk, keeper, id, PageQuery::default(), fault).await
}

async fn shown(desk: Desk, keeper: Keeper, id: String, query: PageQuery, fault: String) -> Result<Response, PageError> {
    let state = dossier_item::State::from_str_name(&query.state).unwrap_or_default();
    let evidence = Block::of(&desk, At::Dossier(keeper, id.clone()), fault, &query.evidence);
    let (dossier, sheet, evidence) = tokio::join!(keeper.one(&desk, &id), keeper.sheet(&desk, &id, state, LINES, query.page.clone()), evidence);
    let (dossier, (items, next), evidence) = (dossier?, sheet?, evidence?);
    Ok(view(desk, keeper, (dossier, evidence), query, (items, next, false)))
}

async fn print(desk: Desk, Path((keeper, id)): Path<(String, String)>, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    let keeper = kept_by(&keeper)?;
    let state = dossier_item::State::from_str_name(&query.state).unwrap_or_default();
    let dossier = keeper.one(&desk, &id).await?;
    let (mut items, mut page) = (Vec::new(), String::new());
    loop {
        let (lines, next) = keeper.sheet(&desk, &id, state, LINES_AT_ONCE, page).await?;
        items.extend(lines);
        if next.is_empty() {
            break;
        }
        page = next;
    }
    let evidence = Block::of(&desk, At::Dossier(keeper, id), String::new(), "").await?.printed();
    Ok(view(desk, keeper, (dossier, evidence), query, (items, String::new(), true)))
}

fn view(desk: Desk, keeper: Keeper, (dossier, evidence): (Dossier, Block), query: PageQuery, (items, next, all): (Vec<DossierItem>, String, bool)) -> Response {
    let (request_id, today) = (desk.new_request_id(), desk.today());
    let may = if all { May::default() } else { May::of(&desk.user, &dossier, &today) };
    let stands = stands(&dossier);
    render(&DossierPage { desk, keeper, dossier, stands, items, line_states: LINE_STATES, query, next, request_id, may, evidence, all })
}

#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    digest: String,
    reason: String,
    account: String,
    items: Vec<String>,
}

impl ActForm {
    /// A form whose check boxes bear one name.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "digest" => form.digest = value,
                "reason" => form.reason = value,
                "account" => form.account = value.trim().to_owned(),
                "item" => form.items.push(value),
                _ => {}
            }
        }
        form
    }

    fn deed(self, own: &str) -> Result<(&'static str, Deed), PageError> {
        let ticked = |items: Vec<String>| if items.is_empty() { Err(PageError::Refused(Status::invalid_argument("请先勾选学生"))) } else { Ok(items) };
        Ok(match self.act.as_str() {
            "sign" => ("sign", Deed::Sign(self.digest)),
            // Nobody ticked: that must not send everybody back.
            "sendBack" => ("sendBack", Deed::SendBack(self.reason, ticked(self.items)?)),
            "sendBackAll" => ("sendBack", Deed::SendBack(self.reason, Vec::new())),
            "refuse" => ("refuse", Deed::Refuse(self.reason, ticked(self.items)?)),
            "refuseAll" => ("refuse", Deed::Refuse(self.reason, Vec::new())),
            "recall" => ("recall", Deed::Recall(self.reason)),
            "note" => ("note", Deed::Note(self.reason)),
            "handOver" => ("handOver", Deed::HandOver(self.account)),
            "take" => ("handOver", Deed::HandOver(own.to_owned())),
            "nudge" => ("nudge", Deed::Nudge),
            unknown => return Err(unknown_act(unknown)),
        })
    }
}

async fn act(desk: Desk, Path((keeper, id)): Path<(String, String)>, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, PageError> {
    let keeper = kept_by(&keeper)?;
    let back = keeper.link(&id);
    let form = ActForm::of(pairs);
    let request_id = form.request_id.clone();
    let (done, deed) = form.deed(&desk.user.sub)?;
    keeper.act(&desk, &request_id, id, deed).await?;
    Ok(Redirect::to(&format!("{back}?done={done}")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: &str, org: &str) -> session::User {
        session::User { role: role.into(), org: org.into(), sub: "me".into(), ..session::User::default() }
    }

    fn dossier(step: i32, duty: dossier_step::Duty, authority: &str, signed: bool) -> Dossier {
        let step = DossierStep { step, duty: duty.into(), authority: authority.into(), present: true, ..DossierStep::default() };
        let sign = DossierAct { act: dossier_act::Act::Sign.into(), name: "校长".into(), ..DossierAct::default() };
        Dossier {
            school: "1".into(),
            step: step.step,
            steps: vec![step],
            history: signed.then_some(sign).into_iter().collect(),
            performed: 1,
            ..Dossier::default()
        }
    }

    #[test]
    fn each_desk_is_offered_what_it_may_do() {
        use dossier_step::Duty::{Decides, Notes};
        let decides = May { decide: true, take: true, ..May::default() };
        let unsigned = dossier(0, Decides, "", false);
        let signed = dossier(1, Decides, "430100", true);
        let noted = dossier(2, Notes, "430000", true);
        let nudge = May { nudge: true, ..May::default() };
        for (who, dossier, may) in [
            (user("SCHOOL_CLERK", "1"), &unsigned, May { recall: true, nudge: true, ..May::default() }),
            (user("PRINCIPAL", "1"), &unsigned, decides),
            (user("PRINCIPAL", "2"), &unsigned, May::default()),
            (user("DEPARTMENT_OFFICER", "430100"), &unsigned, May::default()),
            (user("SCHOOL_CLERK", "1"), &signed, nudge),
            (user("PRINCIPAL", "1"), &signed, nudge),
            (user("DEPARTMENT_OFFICER", "430100"), &signed, decides),
            (user("DEPARTMENT_OFFICER", "430000"), &signed, May::default()),
            (user("DEPARTMENT_OFFICER", "430000"), &noted, May { note: true, take: true, ..May::default() }),
            (user("ADMINISTRATOR", "430000"), &signed, May::default()),
        ] {
            assert_eq!(May::of(&who, dossier, "2026-11-01"), may, "{who:?} {dossier:?}");
        }
        let nudged = Dossier { nudged_date: "2026-11-01".into(), ..signed };
        assert_eq!(May::of(&user("PRINCIPAL", "1"), &nudged, "2026-11-01"), May { nudged_today: true, ..May::default() });
        let deputy = session::User { stands_in_today: true, ..user("SCHOOL_CLERK", "1") };
        assert!(May::of(&deputy, &unsigned, "2026-11-02").decide);
    }

    #[test]
    fn who_signed_before_is_said_or_said_to_be_unknown() {
        let mut known = dossier(0, dossier_step::Duty::Decides, "", true);
        known.state = dossier::State::Done.into();
        assert!(stands(&known).iter().all(|stand| stand.signed.is_some() && !stand.unknown));
        known.history[0].name = String::new();
        assert!(stands(&known).iter().all(|stand| stand.signed.is_none() && stand.unknown));
        known.state = dossier::State::UnderWay.into();
        assert!(stands(&known).iter().all(|stand| !stand.unknown), "it waits there");
    }

    #[test]
    fn nothing_ticked_sends_nobody_back() {
        let form = |act: &str, items: &[&str]| ActForm {
            act: act.into(),
            items: items.iter().map(|item| (*item).to_owned()).collect(),
            reason: "错".into(),
            ..ActForm::default()
        };
        assert!(form("sendBack", &[]).deed("me").is_err() && form("refuse", &[]).deed("me").is_err() && form("other", &["a"]).deed("me").is_err());
        let deed = |form: ActForm| form.deed("me").ok().expect("is one");
        assert_eq!(deed(form("sendBack", &["a"])), ("sendBack", Deed::SendBack("错".into(), vec!["a".into()])));
        assert_eq!(deed(form("sendBackAll", &["a"])), ("sendBack", Deed::SendBack("错".into(), Vec::new())));
        assert_eq!(deed(form("take", &[])), ("handOver", Deed::HandOver("me".into())));
    }

    #[test]
    fn every_word_is_shown() {
        assert!((1..=4).filter_map(|code| dossier::State::try_from(code).ok()).map(|state| state.as_str_name()).eq(STATES));
        assert!((1..=5).filter_map(|code| dossier_item::State::try_from(code).ok()).map(|state| state.as_str_name()).eq(LINE_STATES));
        assert!(
            STATES.iter().all(|state| !show::dossier_state(state).is_empty()) && LINE_STATES.iter().all(|state| !show::dossier_item_state(state).is_empty())
        );
        let acts: Vec<dossier_act::Act> = (1..=20).filter_map(|code| dossier_act::Act::try_from(code).ok()).collect();
        assert!(acts.len() == 9 && acts.iter().all(|act| !show::dossier_act(act.as_str_name()).is_empty()));
    }
}
