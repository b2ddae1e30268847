//! Award lists: proposed and why, not proposed and why, the upload, and the way to approval.

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
use xuezhu_domain::{Season, Term};
use xuezhu_proto::aid::{
    ApproveAwardListRequest, AttestAwardListRequest, AwardEntry, AwardList, Candidate, CreateAwardListRequest, GetAwardListRequest, ListAwardListsRequest,
    ListEntriesRequest, ProposeAwardsRequest, RemoveAwardListRequest, RemoveEntryRequest, SendBackAwardListRequest, SubmitAwardListRequest,
    TakeOutEntriesRequest, award_entry::State, scheme,
};

use super::{
    Desk, PageError,
    corrections::{Filled, Offer},
    render,
    session::User,
    show,
    takeouts::{self, Offer as TakeOutOffer, give},
    unknown_act,
};
use crate::{Gateway, takeouts::Asked};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/lists", get(index).post(create))
        .route("/schools/{school}/lists/{list}", get(page).post(act))
        .route("/schools/{school}/lists/{list}/candidates", get(candidates))
        .route("/schools/{school}/lists/{list}/takeOut", post(take_out))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IndexQuery {
    term: String,
    page: String,
}

#[derive(Template)]
#[template(path = "lists.html")]
struct ListsPage {
    desk: Desk,
    lists: Vec<AwardList>,
    next: String,
    query: IndexQuery,
    terms: Vec<(String, String)>,
    request_id: String,
}

impl ListsPage {
    fn state_of(list: &AwardList) -> &'static str {
        list_state(list)
    }
}

/// Whether something of a list waits at the department of whoever looks.
pub fn decides(user: &User, list: &AwardList) -> bool {
    list.waiting_authorities.iter().any(|authority| user.decides_for(authority))
}

/// A list's state in Chinese; a list whose entries all wait for the clerk is a draft.
fn list_state(list: &AwardList) -> &'static str {
    show::state(list.state().as_str_name())
}

async fn index(desk: Desk, Query(query): Query<IndexQuery>) -> Result<Response, PageError> {
    let asked = ListAwardListsRequest { page_size: 100, term: query.term.clone(), page_token: query.page.clone(), ..Default::default() };
    let answer = desk.awards().list_award_lists(desk.request(asked)).await?.into_inner();
    let today = desk.mirror.as_ref().and_then(|mirror| mirror.civil_date.parse().ok()).unwrap_or_default();
    let now = Term::of(today);
    let before = match now.season() {
        Season::Autumn => Term::new(now.year(), Season::Spring),
        Season::Spring => Term::new(now.year() - 1, Season::Autumn),
    };
    let terms = [now, before, now.next()].map(|term| (term.to_string(), term.name())).to_vec();
    let request_id = desk.new_request_id();
    Ok(render(&ListsPage { desk, lists: answer.lists, next: answer.next_page_token, query, terms, request_id }))
}

#[derive(Deserialize)]
struct CreateForm {
    request_id: String,
    scheme: String,
    term: String,
}

async fn create(desk: Desk, Form(form): Form<CreateForm>) -> Result<Response, PageError> {
    let asked =
        CreateAwardListRequest { school: desk.user.org.clone(), scheme: scheme::Code::from_str_name(&form.scheme).unwrap_or_default().into(), term: form.term };
    let list = desk.awards().create_award_list(desk.change(&form.request_id, asked)).await?.into_inner().list.unwrap_or_default();
    Ok(Redirect::to(&format!("/schools/{}/lists/{}", list.school, list.list)).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageQuery {
    /// Where the page begins.
    pub page: String,
    /// Only who is held.
    pub held: bool,
    /// Only in this state.
    pub state: String,
    done: String,
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    desk: Desk,
    list: AwardList,
    entries: Vec<AwardEntry>,
    page: String,
    next: String,
    held_only: bool,
    state: String,
    done: &'static str,
    request_id: String,
    error: String,
    /// What may be put right of what was approved.
    correction: Option<Offer>,
    /// A form of that which was refused.
    filled: Filled,
    takeout: Option<TakeOutOffer>,
}

impl ListPage {
    fn path(&self) -> String {
        format!("/schools/{}/lists/{}", self.list.school, self.list.list)
    }

    fn state(&self) -> &'static str {
        list_state(&self.list)
    }

    /// Whether it may be removed: a supplementary list on which nobody is.
    fn can_remove(&self) -> bool {
        let list = &self.list;
        let on_it = list.drafts + list.submitted + list.attested + list.approved + list.sent_back;
        self.desk.user.is_clerk() && list.supplement > 0 && !list.closed_to_new && on_it == 0
    }

    fn state_of(entry: &AwardEntry) -> &'static str {
        show::state(entry.state().as_str_name())
    }

    fn removable(&self, entry: &AwardEntry) -> bool {
        self.desk.user.is_clerk() && matches!(entry.state(), State::Draft | State::SentBack)
    }

    /// Whether anything of it is under way or done.
    fn was_submitted(&self) -> bool {
        self.list.submitted + self.list.attested + self.list.approved > 0
    }

    fn can_attest(&self) -> bool {
        self.desk.user.is_principal() && self.list.submitted > 0
    }

    fn can_approve(&self) -> bool {
        self.decides() && self.approvable() > 0
    }

    /// Whether something of it waits at this department.
    fn decides(&self) -> bool {
        decides(&self.desk.user, &self.list)
    }

    /// How many wait for the department and nothing else.
    fn approvable(&self) -> i32 {
        (self.list.attested - self.list.held_attested - self.list.forgotten_attested - self.list.taken_attested).max(0)
    }

    /// Whether a file could change anything: what was submitted it can't.
    fn takes_files(&self) -> bool {
        !self.list.closed_to_new || self.list.drafts + self.list.sent_back > 0
    }

    /// Whether the entry was taken from the roll, which tells no number.
    fn is_of_roll(entry: &AwardEntry) -> bool {
        !entry.id_number.contains(|c: char| c.is_ascii_digit())
    }

    /// Whether less of an entry holds than was signed.
    fn differs(entry: &AwardEntry) -> bool {
        entry.standing_fen != entry.amount_fen
    }

    /// Whether an entry waits for who looks, who may send it back.
    fn returnable(&self, entry: &AwardEntry) -> bool {
        match entry.state() {
            State::Submitted => self.desk.user.is_principal(),
            State::Attested => self.decides(),
            State::Draft | State::Approved | State::SentBack | State::Unspecified => false,
        }
    }

    fn can_return(&self) -> bool {
        self.entries.iter().any(|entry| self.returnable(entry))
    }

    fn correctable(&self, entry: &AwardEntry) -> bool {
        self.correction.as_ref().is_some_and(|offer| offer.fits(entry))
    }

    /// The form that the box of an entry belongs to, if it has one.
    fn ticked_for(&self, entry: &AwardEntry) -> Option<&'static str> {
        if self.returnable(entry) {
            Some("back")
        } else if self.correctable(entry) {
            Some("correction")
        } else {
            None
        }
    }

    /// Whether anybody may be ticked.
    fn ticks(&self) -> bool {
        self.can_return() || self.correction.is_some()
    }
}

/// What is told above the list: what was refused.
#[derive(Default)]
pub struct Told {
    /// Why something was refused, with its fields as the service names them.
    pub error: String,
    /// The correction that was refused.
    pub filled: Filled,
    /// The taking out that was refused.
    pub taken: takeouts::Told,
}

/// The page of a list.
pub async fn view(desk: Desk, school: String, list: String, query: PageQuery, told: Told) -> Result<Response, PageError> {
    let row = desk
        .awards()
        .get_award_list(desk.request(GetAwardListRequest { school: school.clone(), list: list.clone() }))
        .await?
        .into_inner()
        .list
        .unwrap_or_default();
    let asked = ListEntriesRequest {
        school,
        list,
        page_size: 100,
        page_token: query.page.clone(),
        held_only: query.held,
        state: State::from_str_name(&query.state).unwrap_or_default().into(),
    };
    let answer = desk.awards().list_entries(desk.request(asked)).await?.into_inner();
    let Told { error, filled, taken } = told;
    let fields = vec![("state", query.state.clone()), ("held", query.held.to_string())];
    let action = format!("/schools/{}/lists/{}/takeOut", row.school, row.list);
    let view = ListPage {
        takeout: TakeOutOffer::of(&desk.user, &row.school, action, fields, taken),
        correction: Offer::of(&desk.user, &row, &answer.entries),
        request_id: desk.new_request_id(),
        desk,
        list: row,
        error: filled.named(&error, &answer.entries),
        filled,
        entries: answer.entries,
        page: query.page,
        next: answer.next_page_token,
        held_only: query.held,
        state: query.state,
        done: done(&query.done),
    };
    Ok(render(&view))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TakeOutForm {
    state: String,
    held: bool,
    purpose: String,
}

/// The entries that are shown, as a workbook.
async fn take_out(desk: Desk, Path((school, list)): Path<(String, String)>, Form(form): Form<TakeOutForm>) -> Result<Response, PageError> {
    let TakeOutForm { state, held, purpose } = form;
    let asked = TakeOutEntriesRequest {
        school: school.clone(),
        list: list.clone(),
        purpose: purpose.clone(),
        state: State::from_str_name(&state).unwrap_or_default().into(),
        held_only: held,
    };
    match give(desk, Asked::Entries(asked), purpose).await? {
        Ok(workbook) => Ok(workbook),
        Err((desk, taken)) => view(desk, school, list, PageQuery { held, state, ..PageQuery::default() }, Told { taken, ..Told::default() }).await,
    }
}

/// What has just been done, in Chinese.
fn done(act: &str) -> &'static str {
    match act {
        "propose" => "符合条件的学生已列入名单。",
        "remove" => "已移出名单。",
        "submit" => "已提交，等校长签核。",
        "attest" => "已签核，等主管部门审核。",
        "approve" => "没有疑点的学生已审核通过。",
        "sendBack" | "sendBackAll" => "已退回学校。",
        _ => "",
    }
}

async fn page(desk: Desk, Path((school, list)): Path<(String, String)>, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    view(desk, school, list, query, Told::default()).await
}

#[derive(Template)]
#[template(path = "candidates.html")]
struct CandidatesPage {
    desk: Desk,
    school: String,
    list: String,
    /// Whether new students go on a supplementary list.
    closed: bool,
    proposed: Vec<Candidate>,
    listed: Vec<Candidate>,
    others: Vec<Candidate>,
    request_id: String,
}

async fn candidates(desk: Desk, Path((school, list)): Path<(String, String)>) -> Result<Response, PageError> {
    let asked = ProposeAwardsRequest { school: school.clone(), list: list.clone(), preview: true };
    let answer = desk.awards().propose_awards(desk.request(asked)).await?.into_inner();
    let (listed, rest): (Vec<_>, Vec<_>) = answer.candidates.into_iter().partition(|candidate| candidate.listed);
    let (proposed, others) = rest.into_iter().partition(|candidate| candidate.proposed);
    let asked = GetAwardListRequest { school: school.clone(), list: list.clone() };
    let closed = desk.awards().get_award_list(desk.request(asked)).await?.into_inner().list.is_some_and(|list| list.closed_to_new);
    let request_id = desk.new_request_id();
    Ok(render(&CandidatesPage { desk, school, list, closed, proposed, listed, others, request_id }))
}

#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    digest: String,
    reason: String,
    entries: Vec<String>,
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
                "entry" => form.entries.push(value),
                _ => {}
            }
        }
        form
    }
}

async fn act(desk: Desk, Path((school, list)): Path<(String, String)>, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/lists/{list}?done=");
    let ActForm { request_id, act, digest, reason, entries } = ActForm::of(pairs);
    let mut client = desk.awards();
    match act.as_str() {
        "propose" => drop(client.propose_awards(desk.change(&request_id, ProposeAwardsRequest { school, list, preview: false })).await?),
        "remove" => {
            let entry = entries.into_iter().next().unwrap_or_default();
            drop(client.remove_entry(desk.change(&format!("{request_id}-{entry}"), RemoveEntryRequest { school, list, entry })).await?);
        }
        "submit" => drop(client.submit_award_list(desk.change(&request_id, SubmitAwardListRequest { school, list })).await?),
        "attest" => drop(client.attest_award_list(desk.change(&request_id, AttestAwardListRequest { school, list, digest })).await?),
        "approve" => drop(client.approve_award_list(desk.change(&request_id, ApproveAwardListRequest { school, list, digest })).await?),
        // Nobody ticked: that must not send everybody back.
        "sendBack" if entries.is_empty() => return Err(Status::invalid_argument("请先勾选要退回的学生").into()),
        "sendBack" | "sendBackAll" => {
            let entries = if act == "sendBackAll" { Vec::new() } else { entries };
            drop(client.send_back_award_list(desk.change(&request_id, SendBackAwardListRequest { school, list, reason, entries })).await?);
        }
        "removeList" => {
            client.remove_award_list(desk.change(&request_id, RemoveAwardListRequest { school, list })).await?;
            return Ok(Redirect::to("/lists").into_response());
        }
        unknown => return Err(unknown_act(unknown)),
    }
    Ok(Redirect::to(&format!("{back}{act}")).into_response())
}

/// The page of a list, with why something was refused.
pub async fn refused(desk: Desk, school: String, list: String, error: String) -> Result<Response, PageError> {
    view(desk, school, list, PageQuery::default(), Told { error, ..Told::default() }).await
}
