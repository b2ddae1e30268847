//! gRPC in: changes of status, class and major, and corrections of identity.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_domain::{enrollment::Change, text};
use xuezhu_proto::enrollment::{self as pb, correct_identity_request::Kind};
use xuezhu_service::{Context, Error, FieldErrors, runner::Call};

use super::{Correction, Event, What, never_came};
use crate::{
    Parts,
    students::{self, AsOf},
};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;
/// Longest name of a class, in characters.
const CLASS_CHARACTERS: usize = 60;

/// Records an event, and answers with the student after it. The answer keeps its headers: a repetition says that it is one.
async fn change(parts: &Arc<Parts>, ctx: &Context, call: Call, event: Result<Event, Error>) -> Result<Response<pb::Enrollment>, Status> {
    let with = (parts.clone(), event?);
    parts
        .runner
        .mutate(ctx, call, &with, |ctx, tx, (parts, event)| {
            Box::pin(async move {
                super::record(ctx, tx, parts, event).await?;
                students::one(ctx, tx, parts, &event.school, event.enrollment, AsOf::default()).await
            })
        })
        .await
}

/// A student takes leave.
pub async fn take_leave(parts: &Arc<Parts>, request: Request<pb::TakeLeaveRequest>) -> Result<Response<pb::TakeLeaveResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "TakeLeave").await?;
    let call = Call::new("TakeLeave", request.enrollment.clone(), &request);
    let event = event(What::Status(Change::TakeLeave), request.school, &request.enrollment, &request.effective_date, &request.reason);
    Ok(change(parts, &ctx, call, event).await?.map(|enrollment| pb::TakeLeaveResponse { enrollment: Some(enrollment) }))
}

/// A student is back from leave.
pub async fn return_from_leave(parts: &Arc<Parts>, request: Request<pb::ReturnFromLeaveRequest>) -> Result<Response<pb::ReturnFromLeaveResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ReturnFromLeave").await?;
    let call = Call::new("ReturnFromLeave", request.enrollment.clone(), &request);
    let event = event(What::Status(Change::Return), request.school, &request.enrollment, &request.effective_date, &request.reason);
    Ok(change(parts, &ctx, call, event).await?.map(|enrollment| pb::ReturnFromLeaveResponse { enrollment: Some(enrollment) }))
}

/// A student withdraws.
pub async fn withdraw(parts: &Arc<Parts>, request: Request<pb::WithdrawRequest>) -> Result<Response<pb::WithdrawResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "Withdraw").await?;
    let call = Call::new("Withdraw", request.enrollment.clone(), &request);
    let event = event(What::Status(Change::Withdraw), request.school, &request.enrollment, &request.effective_date, &request.reason);
    Ok(change(parts, &ctx, call, event).await?.map(|enrollment| pb::WithdrawResponse { enrollment: Some(enrollment) }))
}

/// A student goes to another class.
pub async fn change_class(parts: &Arc<Parts>, request: Request<pb::ChangeClassRequest>) -> Result<Response<pb::ChangeClassResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ChangeClass").await?;
    let call = Call::new("ChangeClass", request.enrollment.clone(), &request);
    let mut errors = FieldErrors::default();
    let class = class_name(&mut errors, &request.class_name, true);
    let event = event_with(errors, What::Class(class), request.school, &request.enrollment, &request.effective_date, &request.reason);
    Ok(change(parts, &ctx, call, event).await?.map(|enrollment| pb::ChangeClassResponse { enrollment: Some(enrollment) }))
}

/// A student goes to another major.
pub async fn change_major(parts: &Arc<Parts>, request: Request<pb::ChangeMajorRequest>) -> Result<Response<pb::ChangeMajorResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ChangeMajor").await?;
    let call = Call::new("ChangeMajor", request.enrollment.clone(), &request);
    let mut errors = FieldErrors::default();
    let class = class_name(&mut errors, &request.class_name, false);
    let what = What::Major(request.major.clone(), class);
    let event = event_with(errors, what, request.school, &request.enrollment, &request.effective_date, &request.reason);
    Ok(change(parts, &ctx, call, event).await?.map(|enrollment| pb::ChangeMajorResponse { enrollment: Some(enrollment) }))
}

/// A student never came: the department says so.
pub async fn order_never_came(parts: &Arc<Parts>, request: Request<pb::NeverCameRequest>) -> Result<Response<pb::NeverCameResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "NeverCame").await?;
    let call = Call::new("NeverCame", request.enrollment.clone(), &request);
    let mut errors = FieldErrors::default();
    let (enrollment, reason) = (errors.id("enrollment", &request.enrollment), errors.text("reason", &request.reason, REASON_CHARACTERS));
    errors.check()?;
    let with = (parts.clone(), request.school, enrollment.unwrap_or_default(), reason.unwrap_or_default());
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (parts, school, enrollment, reason)| {
            Box::pin(async move {
                never_came::order(ctx, tx, school, *enrollment, reason).await?;
                Ok(pb::NeverCameResponse { enrollment: Some(students::one(ctx, tx, parts, school, *enrollment, AsOf::default()).await?) })
            })
        })
        .await
}

/// A student never came: the school asks.
pub async fn ask_never_came(parts: &Arc<Parts>, request: Request<pb::AskNeverCameRequest>) -> Result<Response<pb::AskNeverCameResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "AskNeverCame").await?;
    let call = Call::new("AskNeverCame", request.enrollment.clone(), &request);
    let mut errors = FieldErrors::default();
    let (enrollment, reason) = (errors.id("enrollment", &request.enrollment), errors.text("reason", &request.reason, REASON_CHARACTERS));
    errors.check()?;
    let with = (request.school, enrollment.unwrap_or_default(), reason.unwrap_or_default());
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (school, enrollment, reason)| {
            Box::pin(async move { Ok(pb::AskNeverCameResponse { dossier: Some(never_came::ask(ctx, tx, school, *enrollment, reason).await?) }) })
        })
        .await
}

/// A change that lies ahead is taken back.
pub async fn cancel_change(parts: &Arc<Parts>, request: Request<pb::CancelChangeRequest>) -> Result<Response<pb::CancelChangeResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "CancelChange").await?;
    let call = Call::new("CancelChange", request.enrollment.clone(), &request);
    let mut errors = FieldErrors::default();
    let (enrollment, reason) = (errors.id("enrollment", &request.enrollment), errors.text("reason", &request.reason, REASON_CHARACTERS));
    errors.check()?;
    let with = (parts.clone(), request.school, enrollment.unwrap_or_default(), reason.unwrap_or_default());
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (parts, school, enrollment, reason)| {
            Box::pin(async move {
                super::cancel(ctx, tx, parts, school, *enrollment, reason).await?;
                Ok(pb::CancelChangeResponse { enrollment: Some(students::one(ctx, tx, parts, school, *enrollment, AsOf::default()).await?) })
            })
        })
        .await
}

/// Name or number is corrected.
pub async fn correct_identity(parts: &Arc<Parts>, request: Request<pb::CorrectIdentityRequest>) -> Result<Response<pb::CorrectIdentityResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "CorrectIdentity").await?;
    let call = Call::new("CorrectIdentity", request.enrollment.clone(), &request);
    let with = (parts.clone(), correction(request)?);
    parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (parts, correction)| {
            Box::pin(async move {
                super::correct_identity(ctx, tx, parts, correction).await?;
                Ok(pb::CorrectIdentityResponse {
                    enrollment: Some(students::one(ctx, tx, parts, &correction.school, correction.enrollment, AsOf::default()).await?),
                })
            })
        })
        .await
}

fn event(what: What, school: String, enrollment: &str, effective: &str, reason: &str) -> Result<Event, Error> {
    event_with(FieldErrors::default(), what, school, enrollment, effective, reason)
}

/// The same, where something else may be wrong as well.
fn event_with(mut errors: FieldErrors, what: What, school: String, enrollment: &str, effective: &str, reason: &str) -> Result<Event, Error> {
    let enrollment = errors.id("enrollment", enrollment);
    let effective = errors.date("effective_date", effective);
    let reason = errors.text("reason", reason, REASON_CHARACTERS);
    errors.check()?;
    match (enrollment, effective, reason) {
        (Some(enrollment), Some(effective), Some(reason)) => Ok(Event { what, school, enrollment, effective, reason }),
        _ => Err(Error::Internal("a field is missing and not told".into())),
    }
}

/// The name of a class, as a workbook may give it.
fn class_name(errors: &mut FieldErrors, name: &str, must: bool) -> String {
    let name = &text::clean(name);
    if name.is_empty() && !must {
        return String::new();
    }
    if text::holds_long_number(name) {
        errors.add("class_name", "班级名称不能含有证件号、学籍号或电话号码");
    }
    errors.text("class_name", name, CLASS_CHARACTERS).unwrap_or_default()
}

fn correction(request: pb::CorrectIdentityRequest) -> Result<Correction, Error> {
    let mut errors = FieldErrors::default();
    let enrollment = errors.id("enrollment", &request.enrollment);
    let effective = errors.date("effective_date", &request.effective_date);
    let reason = errors.text("reason", &request.reason, REASON_CHARACTERS);
    let kind = match request.kind() {
        Kind::LawfulChange => Some(xuezhu_domain::BondKind::Former),
        Kind::Mistyped => Some(xuezhu_domain::BondKind::Mistyped),
        Kind::Unspecified => {
            errors.add("kind", "应为LAWFUL_CHANGE或MISTYPED");
            None
        }
    };
    let name = text::tidy_name(&request.name);
    if !name.is_empty()
        && let Some(fault) = text::name_fault(&name)
    {
        errors.add("name", fault);
    }
    if name.is_empty() && request.id_number.trim().is_empty() {
        errors.add("name", "姓名和证件号至少填写一项");
    }
    match (enrollment, effective, reason, kind) {
        (Some(enrollment), Some(effective), Some(reason), Some(old)) => {
            errors.check()?;
            Ok(Correction { school: request.school, enrollment, old, effective, name, id_number: request.id_number, reason })
        }
        _ => Err(errors.check().err().unwrap_or_else(|| Error::Internal("a field is missing and not told".into()))),
    }
}
