//! gRPC in: submissions, and rows that are taken off the books.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_domain::{enrollment::State, region, text};
use xuezhu_proto::enrollment::{self as pb, enrollment, submission, submission_service_server::SubmissionService};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Refusal, paging, refusal, runner::Call};
use xuezhu_store::Tx;

use super::{Asked, Matching, Wanted};
use crate::{Parts, directory, students};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;

/// The submission service.
#[derive(Clone)]
pub struct SubmissionApi(pub Arc<Parts>);

/// A row that no department approved is taken off the books.
pub async fn remove(parts: &Arc<Parts>, request: Request<pb::RemoveEnrollmentRequest>) -> Result<Response<pb::RemoveEnrollmentResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "RemoveEnrollment").await?;
    let call = Call::new("RemoveEnrollment", request.enrollment.clone(), &request);
    let with = (request.school.clone(), refusal::id("enrollment", &request.enrollment)?);
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (school, enrollment)| {
            Box::pin(async move {
                super::remove(ctx, tx, school, *enrollment).await?;
                Ok(pb::RemoveEnrollmentResponse {})
            })
        })
        .await
}

#[tonic::async_trait]
impl SubmissionService for SubmissionApi {
    async fn create_submission(&self, request: Request<pb::CreateSubmissionRequest>) -> Result<Response<pb::CreateSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CreateSubmission").await?;
        let call = Call::new("CreateSubmission", request.school.clone(), &request);
        let seen = request.matching.as_ref().map_or(0, |filter| filter.count);
        let wanted = Wanted { ids: ids("enrollments", &request.enrollments)?, matching: matching(&request)?, seen };
        let with = (self.0.clone(), request.school, wanted);
        self.0.runner.mutate(&ctx, call, &with, |ctx, tx, (parts, school, wanted)| Box::pin(super::submit(ctx, tx, parts, school, wanted))).await
    }

    async fn get_submission(&self, request: Request<pb::GetSubmissionRequest>) -> Result<Response<pb::GetSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetSubmission").await?;
        let id = refusal::id("submission", &request.submission)?;
        self.0
            .runner
            .read(&ctx, "GetSubmission", &(self.0.clone(), request.school, id), |ctx, tx, (parts, school, id)| {
                Box::pin(async move { Ok(pb::GetSubmissionResponse { submission: Some(super::one(ctx, tx, parts, school, *id).await?) }) })
            })
            .await
    }

    async fn list_submissions(&self, request: Request<pb::ListSubmissionsRequest>) -> Result<Response<pb::ListSubmissionsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListSubmissions").await?;
        self.0.runner.read(&ctx, "ListSubmissions", &request, |ctx, tx, request| Box::pin(list_submissions(ctx, tx, request))).await
    }

    async fn attest_submission(&self, request: Request<pb::AttestSubmissionRequest>) -> Result<Response<pb::AttestSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "AttestSubmission").await?;
        let call = Call::new("AttestSubmission", request.submission.clone(), &request);
        let with = (self.0.clone(), refusal::id("submission", &request.submission)?, request);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, id, request)| {
                Box::pin(async move {
                    Ok(pb::AttestSubmissionResponse { submission: Some(super::attest(ctx, tx, parts, &request.school, *id, &request.digest).await?) })
                })
            })
            .await
    }

    async fn approve_submission(&self, request: Request<pb::ApproveSubmissionRequest>) -> Result<Response<pb::ApproveSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ApproveSubmission").await?;
        let call = Call::new("ApproveSubmission", request.submission.clone(), &request);
        let with = (self.0.clone(), refusal::id("submission", &request.submission)?, request);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, id, request)| {
                Box::pin(async move {
                    Ok(pb::ApproveSubmissionResponse { submission: Some(super::approve(ctx, tx, parts, &request.school, *id, &request.digest).await?) })
                })
            })
            .await
    }

    async fn send_back_submission(&self, request: Request<pb::SendBackSubmissionRequest>) -> Result<Response<pb::SendBackSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SendBackSubmission").await?;
        let call = Call::new("SendBackSubmission", request.submission.clone(), &request);
        let mut errors = FieldErrors::default();
        let reason = errors.text("reason", &request.reason, REASON_CHARACTERS);
        errors.check()?;
        let with = (
            self.0.clone(),
            refusal::id("submission", &request.submission)?,
            ids("enrollments", &request.enrollments)?,
            reason.unwrap_or_default(),
            request.school,
        );
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, id, rows, reason, school)| {
                Box::pin(
                    async move { Ok(pb::SendBackSubmissionResponse { submission: Some(super::send_back(ctx, tx, parts, school, *id, reason, rows).await?) }) },
                )
            })
            .await
    }
}

async fn list_submissions(ctx: &Context, tx: &mut Tx, request: &pb::ListSubmissionsRequest) -> Result<pb::ListSubmissionsResponse, Error> {
    let own_school = ctx.actor.role.is_of_school();
    let school = if request.school.is_empty() && own_school { ctx.actor.organisation.clone() } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadSchool, &Place::Region(&ctx.actor.organisation))?;
    } else {
        directory::school_for(ctx, tx, &school, Permission::ReadSchool).await?;
    }
    let prefix = if own_school { "" } else { region::prefix_or_all(&ctx.actor.organisation) };
    let state = refusal::known::<submission::State>("state", request.state)?;
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListSubmissions", &pb::ListSubmissionsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let asked = Asked { school: &school, authority_prefix: prefix, state };
    let submissions = super::list(tx, &asked, query.after(&request.page_token)?, limit).await?;
    let next_page_token = match submissions.last() {
        Some(last) if i64::try_from(submissions.len()).unwrap_or(0) == limit => query.token(&last.submission),
        _ => String::new(),
    };
    Ok(pb::ListSubmissionsResponse { submissions, next_page_token })
}

/// What is submitted beside what is named: all drafts, or all that match.
fn matching(request: &pb::CreateSubmissionRequest) -> Result<Matching, Error> {
    let (draft, sent_back) = (State::Draft.code(), State::SentBack.code());
    let Some(filter) = &request.matching else {
        let states = request.all_drafts.then_some([draft, draft]);
        return Ok(Matching { states, class_name: String::new(), major: String::new(), entry_year: 0 });
    };
    let mut errors = FieldErrors::default();
    if request.all_drafts || !request.enrollments.is_empty() {
        errors.add("matching", "按筛选条件提交时，不能同时勾选学生或提交全部草稿");
    }
    let states = match refusal::known("matching.state", filter.state)? {
        enrollment::State::Unspecified => [draft, sent_back],
        enrollment::State::Draft => [draft, draft],
        enrollment::State::SentBack => [sent_back, sent_back],
        _ => {
            errors.add("matching.state", "只能提交草稿和被退回的学生");
            [draft, draft]
        }
    };
    students::api::narrowed(&mut errors, "matching.", &filter.major, filter.entry_year);
    errors.check()?;
    Ok(Matching { states: Some(states), class_name: text::clean(&filter.class_name), major: filter.major.clone(), entry_year: filter.entry_year })
}

fn ids(field: &str, texts: &[String]) -> Result<Vec<Uuid>, Error> {
    if texts.len() > super::ROWS_NAMED {
        return Err(Refusal::field(field, format!("一次不能超过{}条", super::ROWS_NAMED)).into());
    }
    let mut errors = FieldErrors::default();
    let ids = texts.iter().enumerate().filter_map(|(index, text)| errors.id(&format!("{field}[{index}]"), text)).collect();
    errors.check()?;
    Ok(ids)
}
