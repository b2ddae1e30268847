//! Award lists: proposed and why, not proposed and why, the upload, and the way to approval.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Multipart, Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_domain::{Season, Term};
use xuezhu_proto::{
    aid::{
        ApproveAwardListRequest, AttestAwardListRequest, AwardEntry, AwardList, Candidate, CreateAwardListRequest, GetAwardListRequest, ImportAwardsRequest,
        ListAwardListsRequest, ListEntriesRequest, ProposeAwardsRequest, RemoveEntryRequest, SendBackAwardListRequest, SubmitAwardListRequest,
        import_awards_request::Part, scheme,
    },
    common::{ImportReport, Upload},
};

use super::{
    Desk, PageError,
    import::{Kind, by_cause, file},
    render, show,
};
use crate::Gateway;

/// Bytes of a form with a file at most.
const FORM_BYTES: usize = 49 * 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/lists", get(index).post(create))
        .route("/schools/{school}/lists/{list}", get(page).post(act))
        .route("/schools/{school}/lists/{list}/candidates", get(candidates))
        .route("/schools/{school}/lists/{list}/upload", post(upload))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
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
struct PageQuery {
    page: String,
    held: bool,
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    desk: Desk,
    list: AwardList,
    entries: Vec<AwardEntry>,
    next: String,
    held_only: bool,
    request_id: String,
    report: Option<ImportReport>,
    problems: Vec<Kind>,
    error: String,
}

impl ListPage {
    fn state(&self) -> &'static str {
        list_state(&self.list)
    }

    fn state_of(entry: &AwardEntry) -> &'static str {
        show::state(entry.state().as_str_name())
    }

    fn removable(&self, entry: &AwardEntry) -> bool {
        self.desk.user.is_clerk() && matches!(entry.state().as_str_name(), "DRAFT" | "SENT_BACK")
    }

    fn can_attest(&self) -> bool {
        self.desk.user.is_principal() && self.list.submitted > 0
    }

    fn can_approve(&self) -> bool {
        self.desk.user.decides_for(&self.list.authority) && self.list.attested > 0
    }

    /// Whether an entry waits for who looks, who may send it back.
    fn returnable(&self, entry: &AwardEntry) -> bool {
        match entry.state().as_str_name() {
            "SUBMITTED" => self.desk.user.is_principal(),
            "ATTESTED" => self.desk.user.decides_for(&self.list.authority),
            _ => false,
        }
    }

    fn can_return(&self) -> bool {
        self.entries.iter().any(|entry| self.returnable(entry))
    }
}

async fn view(desk: Desk, school: String, list: String, query: PageQuery, report: Option<ImportReport>, error: String) -> Result<Response, PageError> {
    let row = desk
        .awards()
        .get_award_list(desk.request(GetAwardListRequest { school: school.clone(), list: list.clone() }))
        .await?
        .into_inner()
        .list
        .unwrap_or_default();
    let asked = ListEntriesRequest { school, list, page_size: 100, page_token: query.page, held_only: query.held, state: 0 };
    let answer = desk.awards().list_entries(desk.request(asked)).await?.into_inner();
    let problems = report.as_ref().map(|report| by_cause(&report.problems)).unwrap_or_default();
    let request_id = desk.new_request_id();
    Ok(render(&ListPage { desk, list: row, entries: answer.entries, next: answer.next_page_token, held_only: query.held, request_id, report, problems, error }))
}

async fn page(desk: Desk, Path((school, list)): Path<(String, String)>, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    view(desk, school, list, query, None, String::new()).await
}

#[derive(Template)]
#[template(path = "candidates.html")]
struct CandidatesPage {
    desk: Desk,
    school: String,
    list: String,
    proposed: Vec<Candidate>,
    others: Vec<Candidate>,
    request_id: String,
}

async fn candidates(desk: Desk, Path((school, list)): Path<(String, String)>) -> Result<Response, PageError> {
    let asked = ProposeAwardsRequest { school: school.clone(), list: list.clone(), preview: true };
    let answer = desk.awards().propose_awards(desk.request(asked)).await?.into_inner();
    let (proposed, others) = answer.candidates.into_iter().partition(|candidate| candidate.proposed);
    let request_id = desk.new_request_id();
    Ok(render(&CandidatesPage { desk, school, list, proposed, others, request_id }))
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
    let back = format!("/schools/{school}/lists/{list}");
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
        act => {
            let entries = if act == "sendBackAll" { Vec::new() } else { entries };
            drop(client.send_back_award_list(desk.change(&request_id, SendBackAwardListRequest { school, list, reason, entries })).await?);
        }
    }
    Ok(Redirect::to(&back).into_response())
}

async fn upload(desk: Desk, Path((school, list)): Path<(String, String)>, form: Multipart) -> Result<Response, PageError> {
    let sent = async {
        let _turn = desk.gateway.turn_of_form().await?;
        let (bytes, fields) = file(form).await?;
        let preview = fields.get("act").is_none_or(|act| act != "import");
        let head = Upload { school: school.clone(), preview, all_or_nothing: false, list: list.clone() };
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportAwardsRequest { part: Some(part) });
        desk.awards().import_awards(desk.request(futures_util::stream::iter(pieces))).await
    };
    match sent.await {
        Ok(answer) => view(desk, school, list, PageQuery::default(), answer.into_inner().report, String::new()).await,
        Err(status) => view(desk, school, list, PageQuery::default(), None, status.message().to_owned()).await,
    }
}
