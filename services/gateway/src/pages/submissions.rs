//! The principal's sheet: one submission on one page, with its digest; the officer approves from it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use tonic::Status;
use xuezhu_proto::enrollment::{
    ApproveSubmissionRequest, AttestSubmissionRequest, Enrollment, GetSubmissionRequest, ListEnrollmentsRequest, SendBackSubmissionRequest, Submission,
    submission,
};

use super::{Desk, PageError, render, show, unknown_act};
use crate::Gateway;

/// Students that the sheet lists.
const ROWS: i32 = 500;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}/submissions/{submission}", get(page).post(act))
}

#[derive(Template)]
#[template(path = "submission.html")]
struct SubmissionPage {
    desk: Desk,
    row: Submission,
    rows: Vec<Enrollment>,
    more: i32,
    /// Of those that are listed, whom the registry doubts.
    unverified: usize,
    request_id: String,
    can_attest: bool,
    can_approve: bool,
}

impl SubmissionPage {
    fn state(&self) -> &'static str {
        self.row.state().as_str_name()
    }

    fn is_unverified(row: &Enrollment) -> bool {
        !row.person.is_empty() && matches!(row.registry.as_str(), "NOT_FOUND" | "DIFFERS")
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
    let asked = ListEnrollmentsRequest { school, submission: row.submission.clone(), page_size: ROWS, ..Default::default() };
    let listed = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner();
    let more = listed.total_size - i32::try_from(listed.enrollments.len()).unwrap_or(0);
    let request_id = desk.new_request_id();
    let can_attest = desk.user.is_principal() && row.state() == submission::State::Submitted;
    let can_approve = desk.user.decides_for(&row.waits_authority) && row.state() == submission::State::Attested;
    Ok(render(&SubmissionPage {
        desk,
        row,
        unverified: listed.enrollments.iter().filter(|row| SubmissionPage::is_unverified(row)).count(),
        rows: listed.enrollments,
        more,
        request_id,
        can_attest,
        can_approve,
    }))
}

#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    digest: String,
    reason: String,
    enrollments: Vec<String>,
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
                "enrollment" => form.enrollments.push(value),
                _ => {}
            }
        }
        form
    }
}

async fn act(desk: Desk, Path((school, submission)): Path<(String, String)>, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/submissions/{submission}");
    let ActForm { request_id, act, digest, reason, enrollments } = ActForm::of(pairs);
    let mut client = desk.submissions();
    match act.as_str() {
        "attest" => drop(client.attest_submission(desk.change(&request_id, AttestSubmissionRequest { school, submission, digest })).await?),
        "approve" => drop(client.approve_submission(desk.change(&request_id, ApproveSubmissionRequest { school, submission, digest })).await?),
        // Nobody ticked: that must not send everybody back.
        "sendBack" if enrollments.is_empty() => return Err(Status::invalid_argument("请先勾选要退回的学生").into()),
        act @ ("sendBack" | "sendBackAll") => {
            let enrollments = if act == "sendBackAll" { Vec::new() } else { enrollments };
            drop(client.send_back_submission(desk.change(&request_id, SendBackSubmissionRequest { school, submission, reason, enrollments })).await?);
        }
        unknown => return Err(unknown_act(unknown)),
    }
    Ok(Redirect::to(&back).into_response())
}
