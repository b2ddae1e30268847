//! The principal's sheet: one submission on one page, with its digest; the officer approves from it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;
use xuezhu_proto::enrollment::{
    ApproveSubmissionRequest, AttestSubmissionRequest, GetSchoolRequest, GetSubmissionRequest, SendBackSubmissionRequest, Submission, submission,
};

use super::{Desk, PageError, render, show};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}/submissions/{submission}", get(page).post(act))
}

#[derive(Template)]
#[template(path = "submission.html")]
struct SubmissionPage {
    desk: Desk,
    row: Submission,
    school_name: String,
    request_id: String,
    can_attest: bool,
    can_approve: bool,
}

impl SubmissionPage {
    fn state(&self) -> &'static str {
        self.row.state().as_str_name()
    }
}

async fn page(desk: Desk, Path((school, submission)): Path<(String, String)>) -> Result<Response, PageError> {
    let row = desk
        .submissions()
        .get_submission(desk.request(GetSubmissionRequest { school: school.clone(), submission }))
        .await?
        .into_inner()
        .submission
        .unwrap_or_default();
    let school_name = desk.directory().get_school(desk.request(GetSchoolRequest { school })).await?.into_inner().school.unwrap_or_default().name;
    let request_id = desk.new_request_id();
    let can_attest = desk.user.is_principal() && row.state() == submission::State::Submitted;
    let can_approve = desk.user.is_officer() && row.state() == submission::State::Attested;
    Ok(render(&SubmissionPage { desk, row, school_name, request_id, can_attest, can_approve }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    request_id: String,
    act: String,
    digest: String,
    reason: String,
}

async fn act(desk: Desk, Path((school, submission)): Path<(String, String)>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/submissions/{submission}");
    let ActForm { request_id, act, digest, reason } = form;
    let mut client = desk.submissions();
    match act.as_str() {
        "attest" => drop(client.attest_submission(desk.change(&request_id, AttestSubmissionRequest { school, submission, digest })).await?),
        "approve" => drop(client.approve_submission(desk.change(&request_id, ApproveSubmissionRequest { school, submission, digest })).await?),
        _ => drop(
            client.send_back_submission(desk.change(&request_id, SendBackSubmissionRequest { school, submission, reason, enrollments: Vec::new() })).await?,
        ),
    }
    Ok(Redirect::to(&back).into_response())
}
