//! gRPC in: a record read whole, drafts by hand, what a school keeps itself.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_proto::enrollment as pb;
use xuezhu_service::{FieldErrors, refusal, runner::Call};

use super::{contacts, drafts, facts, said, whole};
use crate::{
    Parts,
    import::by_hand::students,
    students::{self as shown, AsOf},
};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;
/// What reading a record whole is for, as the audit keeps it.
const READ: &str = "查看学生完整信息";

/// One student whole.
pub async fn get_student(parts: &Arc<Parts>, request: Request<pb::GetStudentRequest>) -> Result<Response<pb::GetStudentResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "GetStudent").await?;
    let enrollment = refusal::id("enrollment", &request.enrollment)?;
    let with = (parts.clone(), request.school, enrollment);
    let read = parts
        .runner
        .read(&ctx, "GetStudent", &with, |ctx, tx, (parts, school, enrollment)| {
            Box::pin(async move { Ok(pb::GetStudentResponse { record: Some(whole::read(ctx, tx, parts, school, *enrollment).await?) }) })
        })
        .await?;
    parts.runner.record_reading(&ctx, "GetStudent", &enrollment.to_string(), READ).await?;
    Ok(read)
}

/// A student is entered.
pub async fn enter_draft(parts: &Arc<Parts>, request: Request<pb::EnterDraftRequest>) -> Result<Response<pb::EnterDraftResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "EnterDraft").await?;
    let call = Call::new("EnterDraft", request.school.clone(), &request);
    let with = (students(parts, &request.school), said(&request.columns)?);
    if request.validate_only {
        let check = parts.runner.read(&ctx, "EnterDraft", &with, |ctx, tx, (of, said)| Box::pin(drafts::check_new(ctx, tx, of, said)));
        return Ok(check.await?.map(|found| pb::EnterDraftResponse { enrollment: None, doubts: found.doubts, problems: found.faults }));
    }
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (of, said)| {
            Box::pin(async move {
                let (enrollment, doubts) = drafts::enter(ctx, tx, of, said).await?;
                let enrollment = shown::one(ctx, tx, &of.parts, &of.school, enrollment, AsOf::default()).await?;
                Ok(pb::EnterDraftResponse { enrollment: Some(enrollment), doubts, problems: Vec::new() })
            })
        })
        .await
}

/// A draft is changed.
pub async fn edit_draft(parts: &Arc<Parts>, request: Request<pb::EditDraftRequest>) -> Result<Response<pb::EditDraftResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "EditDraft").await?;
    let call = Call::new("EditDraft", request.enrollment.clone(), &request);
    let enrollment: Uuid = refusal::id("enrollment", &request.enrollment)?;
    let with = (students(parts, &request.school), enrollment, request.etag.clone(), said(&request.columns)?);
    if request.validate_only {
        let check = parts
            .runner
            .read(&ctx, "EditDraft", &with, |ctx, tx, (of, enrollment, _, said)| Box::pin(drafts::check_own(ctx, tx, of, *enrollment, said)))
            .await?;
        return Ok(check.map(|found| pb::EditDraftResponse { enrollment: None, doubts: found.doubts, problems: found.faults }));
    }
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (of, enrollment, etag, said)| {
            Box::pin(async move {
                let (enrollment, doubts) = drafts::edit(ctx, tx, of, *enrollment, etag, said).await?;
                let enrollment = shown::one(ctx, tx, &of.parts, &of.school, enrollment, AsOf::default()).await?;
                Ok(pb::EditDraftResponse { enrollment: Some(enrollment), doubts, problems: Vec::new() })
            })
        })
        .await
}

/// What the school keeps itself is changed.
pub async fn change_contacts(parts: &Arc<Parts>, request: Request<pb::ChangeContactsRequest>) -> Result<Response<pb::ChangeContactsResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ChangeContacts").await?;
    let call = Call::new("ChangeContacts", request.enrollment.clone(), &request);
    let enrollment: Uuid = refusal::id("enrollment", &request.enrollment)?;
    let with = (students(parts, &request.school), enrollment, request.etag.clone(), said(&request.columns)?);
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (of, enrollment, etag, said)| {
            Box::pin(async move {
                let doubts = contacts::change(ctx, tx, of, *enrollment, etag, said).await?;
                let enrollment = shown::one(ctx, tx, &of.parts, &of.school, *enrollment, AsOf::default()).await?;
                Ok(pb::ChangeContactsResponse { enrollment: Some(enrollment), doubts })
            })
        })
        .await
}

/// The school asks that what carries money says something else.
pub async fn ask_aid_facts_change(
    parts: &Arc<Parts>,
    request: Request<pb::AskAidFactsChangeRequest>,
) -> Result<Response<pb::AskAidFactsChangeResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "AskAidFactsChange").await?;
    let call = Call::new("AskAidFactsChange", request.enrollment.clone(), &request);
    let mut errors = FieldErrors::default();
    let (enrollment, from) = (errors.id("enrollment", &request.enrollment), errors.date("effective_date", &request.effective_date));
    let reason = errors.text("reason", &request.reason, REASON_CHARACTERS);
    errors.check()?;
    let asked = facts::Asked {
        enrollment: enrollment.unwrap_or_default(),
        said: said(&request.columns)?,
        from: from.unwrap_or_default(),
        reason: reason.unwrap_or_default(),
        etag: request.etag,
    };
    let with = (students(parts, &request.school), asked);
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (of, asked)| {
            Box::pin(async move { Ok(pb::AskAidFactsChangeResponse { dossier: Some(facts::ask(ctx, tx, of, asked).await?) }) })
        })
        .await
}
