//! gRPC in: enrollments and submissions.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;
use xuezhu_domain::{
    IdNumber, RegistryAnswer, codes,
    enrollment::{Change, State},
    region, text,
};
use xuezhu_proto::enrollment::{
    self as pb, correct_identity_request::Kind, enrollment, enrollment_service_server::EnrollmentService, submission,
    submission_service_server::SubmissionService,
};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal, Role, paging, refusal, runner::Call};
use xuezhu_store::Tx;

use super::store::{self, EnrollmentRow, Filter};
use crate::{
    Parts, directory,
    import::api::{self as import, Pieces},
    roll,
    status_change::{self, Correction, Event, What},
};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;
/// Longest name of a class, in characters.
const CLASS_CHARACTERS: usize = 60;
/// Longest purpose, in characters.
const PURPOSE_CHARACTERS: usize = 200;

/// The enrollment service.
#[derive(Clone)]
pub struct EnrollmentApi(pub Arc<Parts>);

/// The submission service.
#[derive(Clone)]
pub struct SubmissionApi(pub Arc<Parts>);

impl EnrollmentApi {
    /// The answer keeps its headers: a repetition says that it is one.
    async fn change(&self, ctx: &Context, call: Call, event: Result<Event, Error>) -> Result<Response<pb::Enrollment>, Status> {
        let with = (self.0.clone(), event?);
        self.0
            .runner
            .mutate(ctx, call, &with, |ctx, tx, (parts, event)| {
                Box::pin(async move {
                    status_change::record(ctx, tx, parts, event).await?;
                    one(ctx, tx, parts, &event.school, event.enrollment).await
                })
            })
            .await
    }
}

#[tonic::async_trait]
impl EnrollmentService for EnrollmentApi {
    type DownloadMarkedWorkbookStream = Pieces<pb::DownloadMarkedWorkbookResponse>;
    type DownloadTemplateStream = Pieces<pb::DownloadTemplateResponse>;

    async fn import_enrollments(&self, request: Request<Streaming<pb::ImportEnrollmentsRequest>>) -> Result<Response<pb::ImportEnrollmentsResponse>, Status> {
        import::import(&self.0, request).await
    }

    async fn get_import(&self, request: Request<pb::GetImportRequest>) -> Result<Response<pb::GetImportResponse>, Status> {
        import::get(&self.0, request).await
    }

    async fn commit_import(&self, request: Request<pb::CommitImportRequest>) -> Result<Response<pb::CommitImportResponse>, Status> {
        import::commit(&self.0, request).await
    }

    async fn download_marked_workbook(
        &self,
        request: Request<pb::DownloadMarkedWorkbookRequest>,
    ) -> Result<Response<Self::DownloadMarkedWorkbookStream>, Status> {
        import::marked(&self.0, request).await
    }

    async fn download_template(&self, request: Request<pb::DownloadTemplateRequest>) -> Result<Response<Self::DownloadTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadTemplate").await?;
        import::template()
    }

    async fn list_enrollments(&self, request: Request<pb::ListEnrollmentsRequest>) -> Result<Response<pb::ListEnrollmentsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListEnrollments").await?;
        let (school, looked_up) = (request.school.clone(), is_whole_number(&ctx, &text::clean_number(&request.query)));
        let found = self
            .0
            .runner
            .read(&ctx, "ListEnrollments", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(list(ctx, tx, parts, request)))
            .await?;
        if looked_up {
            self.0.runner.record_reading(&ctx, "ListEnrollments", &school, "按完整号码查找").await?;
        }
        Ok(found)
    }

    async fn get_enrollment(&self, request: Request<pb::GetEnrollmentRequest>) -> Result<Response<pb::GetEnrollmentResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetEnrollment").await?;
        let id = id("enrollment", &request.enrollment)?;
        self.0
            .runner
            .read(&ctx, "GetEnrollment", &(self.0.clone(), request.school, id), |ctx, tx, (parts, school, id)| {
                Box::pin(async move {
                    directory::school_for(ctx, tx, school, Permission::ReadSchool).await?;
                    Ok(pb::GetEnrollmentResponse { enrollment: Some(one(ctx, tx, parts, school, *id).await?) })
                })
            })
            .await
    }

    async fn reveal_number(&self, request: Request<pb::RevealNumberRequest>) -> Result<Response<pb::RevealNumberResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RevealNumber").await?;
        let mut errors = FieldErrors::default();
        let (enrollment, purpose) = (errors.id("enrollment", &request.enrollment), errors.text("purpose", &request.purpose, PURPOSE_CHARACTERS));
        errors.check()?;
        let (enrollment, purpose) = (enrollment.unwrap_or_default(), purpose.unwrap_or_default());
        let with = (self.0.clone(), request.school, enrollment);
        let revealed = self
            .0
            .runner
            .read(&ctx, "RevealNumber", &with, |ctx, tx, (parts, school, enrollment)| Box::pin(super::reveal(ctx, tx, parts, school, *enrollment)))
            .await?;
        self.0.runner.record_reading(&ctx, "RevealNumber", &enrollment.to_string(), &purpose).await?;
        Ok(revealed)
    }

    async fn take_leave(&self, request: Request<pb::TakeLeaveRequest>) -> Result<Response<pb::TakeLeaveResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "TakeLeave").await?;
        let call = Call::new("TakeLeave", request.enrollment.clone(), &request);
        let event = event(What::Status(Change::TakeLeave), request.school, &request.enrollment, &request.effective_date, &request.reason);
        Ok(self.change(&ctx, call, event).await?.map(|enrollment| pb::TakeLeaveResponse { enrollment: Some(enrollment) }))
    }

    async fn return_from_leave(&self, request: Request<pb::ReturnFromLeaveRequest>) -> Result<Response<pb::ReturnFromLeaveResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ReturnFromLeave").await?;
        let call = Call::new("ReturnFromLeave", request.enrollment.clone(), &request);
        let event = event(What::Status(Change::Return), request.school, &request.enrollment, &request.effective_date, &request.reason);
        Ok(self.change(&ctx, call, event).await?.map(|enrollment| pb::ReturnFromLeaveResponse { enrollment: Some(enrollment) }))
    }

    async fn withdraw(&self, request: Request<pb::WithdrawRequest>) -> Result<Response<pb::WithdrawResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "Withdraw").await?;
        let call = Call::new("Withdraw", request.enrollment.clone(), &request);
        let event = event(What::Status(Change::Withdraw), request.school, &request.enrollment, &request.effective_date, &request.reason);
        Ok(self.change(&ctx, call, event).await?.map(|enrollment| pb::WithdrawResponse { enrollment: Some(enrollment) }))
    }

    async fn change_class(&self, request: Request<pb::ChangeClassRequest>) -> Result<Response<pb::ChangeClassResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ChangeClass").await?;
        let call = Call::new("ChangeClass", request.enrollment.clone(), &request);
        let mut errors = FieldErrors::default();
        let class = class_name(&mut errors, &request.class_name, true);
        let event = event_with(errors, What::Class(class), request.school, &request.enrollment, &request.effective_date, &request.reason);
        Ok(self.change(&ctx, call, event).await?.map(|enrollment| pb::ChangeClassResponse { enrollment: Some(enrollment) }))
    }

    async fn change_major(&self, request: Request<pb::ChangeMajorRequest>) -> Result<Response<pb::ChangeMajorResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ChangeMajor").await?;
        let call = Call::new("ChangeMajor", request.enrollment.clone(), &request);
        let mut errors = FieldErrors::default();
        let class = class_name(&mut errors, &request.class_name, false);
        let what = What::Major(request.major.clone(), class);
        let event = event_with(errors, what, request.school, &request.enrollment, &request.effective_date, &request.reason);
        Ok(self.change(&ctx, call, event).await?.map(|enrollment| pb::ChangeMajorResponse { enrollment: Some(enrollment) }))
    }

    async fn never_came(&self, request: Request<pb::NeverCameRequest>) -> Result<Response<pb::NeverCameResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "NeverCame").await?;
        let call = Call::new("NeverCame", request.enrollment.clone(), &request);
        let mut errors = FieldErrors::default();
        let (enrollment, reason) = (errors.id("enrollment", &request.enrollment), errors.text("reason", &request.reason, REASON_CHARACTERS));
        errors.check()?;
        let with = (self.0.clone(), request.school, enrollment.unwrap_or_default(), reason.unwrap_or_default());
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, enrollment, reason)| {
                Box::pin(async move {
                    status_change::never_came(ctx, tx, school, *enrollment, reason).await?;
                    Ok(pb::NeverCameResponse { enrollment: Some(one(ctx, tx, parts, school, *enrollment).await?) })
                })
            })
            .await
    }

    async fn cancel_change(&self, request: Request<pb::CancelChangeRequest>) -> Result<Response<pb::CancelChangeResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CancelChange").await?;
        let call = Call::new("CancelChange", request.enrollment.clone(), &request);
        let mut errors = FieldErrors::default();
        let (enrollment, reason) = (errors.id("enrollment", &request.enrollment), errors.text("reason", &request.reason, REASON_CHARACTERS));
        errors.check()?;
        let with = (self.0.clone(), request.school, enrollment.unwrap_or_default(), reason.unwrap_or_default());
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, enrollment, reason)| {
                Box::pin(async move {
                    status_change::cancel(ctx, tx, parts, school, *enrollment, reason).await?;
                    Ok(pb::CancelChangeResponse { enrollment: Some(one(ctx, tx, parts, school, *enrollment).await?) })
                })
            })
            .await
    }

    async fn remove_enrollment(&self, request: Request<pb::RemoveEnrollmentRequest>) -> Result<Response<pb::RemoveEnrollmentResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RemoveEnrollment").await?;
        let call = Call::new("RemoveEnrollment", request.enrollment.clone(), &request);
        let with = (request.school.clone(), id("enrollment", &request.enrollment)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (school, enrollment)| {
                Box::pin(async move {
                    super::remove(ctx, tx, school, *enrollment).await?;
                    Ok(pb::RemoveEnrollmentResponse {})
                })
            })
            .await
    }

    async fn correct_identity(&self, request: Request<pb::CorrectIdentityRequest>) -> Result<Response<pb::CorrectIdentityResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CorrectIdentity").await?;
        let call = Call::new("CorrectIdentity", request.enrollment.clone(), &request);
        let with = (self.0.clone(), correction(request)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, correction)| {
                Box::pin(async move {
                    status_change::correct_identity(ctx, tx, parts, correction).await?;
                    Ok(pb::CorrectIdentityResponse { enrollment: Some(one(ctx, tx, parts, &correction.school, correction.enrollment).await?) })
                })
            })
            .await
    }
}

#[tonic::async_trait]
impl SubmissionService for SubmissionApi {
    async fn create_submission(&self, request: Request<pb::CreateSubmissionRequest>) -> Result<Response<pb::CreateSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CreateSubmission").await?;
        let call = Call::new("CreateSubmission", request.school.clone(), &request);
        let with = (request.school, ids("enrollments", &request.enrollments)?, request.all_drafts);
        self.0.runner.mutate(&ctx, call, &with, |ctx, tx, (school, ids, all)| Box::pin(super::submit(ctx, tx, school, ids, *all))).await
    }

    async fn get_submission(&self, request: Request<pb::GetSubmissionRequest>) -> Result<Response<pb::GetSubmissionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetSubmission").await?;
        let id = id("submission", &request.submission)?;
        self.0
            .runner
            .read(&ctx, "GetSubmission", &(self.0.clone(), request.school, id), |ctx, tx, (parts, school, id)| {
                Box::pin(async move {
                    directory::school_for(ctx, tx, school, Permission::ReadSchool).await?;
                    Ok(pb::GetSubmissionResponse { submission: Some(super::view(tx, parts, school, *id).await?) })
                })
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
        let with = (self.0.clone(), id("submission", &request.submission)?, request);
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
        let with = (self.0.clone(), id("submission", &request.submission)?, request);
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
        let with =
            (self.0.clone(), id("submission", &request.submission)?, ids("enrollments", &request.enrollments)?, reason.unwrap_or_default(), request.school);
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

async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListEnrollmentsRequest) -> Result<pb::ListEnrollmentsResponse, Error> {
    let school = directory::school_for(ctx, tx, &request.school, Permission::ReadSchool).await?;
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListEnrollments", &pb::ListEnrollmentsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let after = query.after(&request.page_token)?.unwrap_or_default();
    // Who is answered to a whole number can try numbers until one is right: that is for those who may see it.
    let may_reveal = ctx.may(Permission::RevealNumber, &Place::School { code: &school.code, authority: &school.authority }).is_ok();
    let filter = filter(ctx, parts, request, may_reveal)?;
    let rows = store::list(tx, &filter, &after, limit).await?;
    let total_size = i32::try_from(store::count(tx, &filter).await?).unwrap_or(i32::MAX);
    let next_page_token = match rows.last() {
        Some(last) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&(&last.class_name, &last.name, last.enrollment)),
        _ => String::new(),
    };
    Ok(pb::ListEnrollmentsResponse { enrollments: rows.into_iter().map(|row| to_proto(ctx, parts, row)).collect(), next_page_token, total_size })
}

/// Whether a query is somebody's whole number: an identity number or a 学籍号.
fn is_whole_number(ctx: &Context, query: &str) -> bool {
    let is_identity = || codes::documents().filter_map(|document| IdNumber::parse(document, query, ctx.today()).ok()).any(|id| id.birth_date().is_some());
    (query.len() == 19 && query.starts_with(['G', 'L'])) || (query.len() >= 15 && is_identity())
}

/// A query is part of a name, or a whole number: identity number, 学籍号 or 学号. Never part of a number.
fn filter(ctx: &Context, parts: &Parts, request: &pb::ListEnrollmentsRequest, may_reveal: bool) -> Result<Filter, Error> {
    let mut filter = Filter { school: request.school.clone(), today: ctx.today(), ..Filter::default() };
    if !request.submission.is_empty() {
        filter.submission = Some(id("submission", &request.submission)?);
    }
    match refusal::known("state", request.state)? {
        enrollment::State::Unspecified => {}
        state => filter.state = State::parse(state.as_str_name()).map_or(0, State::code),
    }
    let query = text::clean_number(&request.query);
    if query.is_empty() && !request.query.trim().is_empty() {
        return Err(Refusal::field("query", "没有可查找的文字").into());
    }
    if query.is_empty() {
        return Ok(filter);
    }
    if query.contains(|c: char| c.is_ascii_digit()) {
        // No name holds a digit. Whoever searches does not say from which paper the number was read.
        let numbers: Vec<IdNumber> = codes::documents().filter_map(|document| IdNumber::parse(document, &query, ctx.today()).ok()).collect();
        if is_whole_number(ctx, &query) && !may_reveal {
            return Err(Refusal::new(Reason::Forbidden, "按完整证件号或学籍号查找，只限本校和其主管部门；请按姓名或学号查找").into());
        }
        filter.keys = Some(numbers.into_iter().map(|number| parts.keyring.person_key(&number).0).collect());
        filter.student_number = Some(parts.keyring.lookup_hash("student_number", &query));
    } else {
        let name = text::comparable_name(&request.query).replace('!', "!!").replace('%', "!%").replace('_', "!_");
        filter.name_pattern = format!("%{name}%");
    }
    filter.school_number = query;
    Ok(filter)
}

async fn one(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid) -> Result<pb::Enrollment, Error> {
    let filter = Filter { school: school.to_owned(), enrollment: Some(enrollment), today: ctx.today(), ..Filter::default() };
    let row = store::list(tx, &filter, &(String::new(), String::new(), Uuid::nil()), 1).await?.pop().ok_or_else(|| Refusal::not_found("该学籍"))?;
    let periods = roll::places::periods(tx, enrollment).await?;
    let mut view = to_proto(ctx, parts, row);
    view.periods = periods
        .into_iter()
        .map(|period| pb::Period {
            from: period.from_date.to_string(),
            to: period.to_date.map(|day| day.to_string()).unwrap_or_default(),
            state: State::from_code(period.state).map_or("", State::as_str).to_owned(),
            reason: period.reason,
            recorded_date: period.recorded_day.to_string(),
            class_name: period.class_name,
            major_name: codes::major_of_key(&period.major).map_or("", |major| major.name).to_owned(),
            major: period.major,
        })
        .collect();
    Ok(view)
}

/// A state as clients see it.
fn told(code: i32) -> enrollment::State {
    State::from_code(code).and_then(|state| enrollment::State::from_str_name(state.as_str())).unwrap_or_default()
}

fn to_proto(ctx: &Context, parts: &Parts, row: EnrollmentRow) -> pb::Enrollment {
    let planned = row.last_since.filter(|last| row.state_since.is_some_and(|since| since < *last));
    let student_number = match (row.person, &row.student_number_sealed) {
        (Some(person), Some(sealed)) => ctx.shown(parts.keyring.masked("student_number", &[person], sealed)),
        _ => String::new(),
    };
    pb::Enrollment {
        enrollment: row.enrollment.to_string(),
        school: row.school,
        person: row.person.map(|person| person.to_string()).unwrap_or_default(),
        state: told(row.state).into(),
        state_since: row.state_since.map(|day| day.to_string()).unwrap_or_default(),
        name: row.name,
        id_number: ctx.shown(parts.keyring.masked("id", &[row.enrollment], &row.id_sealed)),
        student_number,
        school_number: row.school_number,
        sex: xuezhu_domain::Sex::from_code(row.sex).map_or("", xuezhu_domain::Sex::name).to_owned(),
        class_name: row.class_name,
        major_name: codes::major_of_key(&row.major).map_or("", |major| major.name).to_owned(),
        major: row.major,
        entry_month: row.entry_month,
        study_form: row.study_form,
        sent_back_reason: row.sent_back_reason,
        registry: row.registry.and_then(RegistryAnswer::from_code).map_or("", RegistryAnswer::as_str).to_owned(),
        periods: Vec::new(),
        refusal: row.refusal,
        etag: row.etag.to_string(),
        approved_date: row.approved_day.map(|day| day.to_string()).unwrap_or_default(),
        planned_state: planned.map(|_| told(row.last_state)).unwrap_or_default().into(),
        planned_since: planned.map(|day| day.to_string()).unwrap_or_default(),
    }
}

async fn list_submissions(ctx: &Context, tx: &mut Tx, request: &pb::ListSubmissionsRequest) -> Result<pb::ListSubmissionsResponse, Error> {
    let own_school = matches!(ctx.actor.role, Role::SchoolClerk | Role::Principal);
    let school = if request.school.is_empty() && own_school { ctx.actor.organisation.clone() } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadSchool, &Place::Region(&ctx.actor.organisation))?;
    } else {
        directory::school_for(ctx, tx, &school, Permission::ReadSchool).await?;
    }
    let prefix = if own_school { "" } else { region::prefix_or_all(&ctx.actor.organisation) };
    let state = match refusal::known("state", request.state)? {
        submission::State::Unspecified => "",
        state => state.as_str_name(),
    };
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListSubmissions", &pb::ListSubmissionsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let rows = store::submissions(tx, &school, prefix, state, query.after(&request.page_token)?, limit).await?;
    let next_page_token = match rows.last() {
        Some(last) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&last.submission),
        _ => String::new(),
    };
    let mut submissions = Vec::new();
    for row in &rows {
        let mut view = super::summary(row);
        let set = store::set_of(tx, row.submission).await?;
        view.count = i32::try_from(set.len()).unwrap_or(i32::MAX);
        submissions.push(view);
    }
    Ok(pb::ListSubmissionsResponse { submissions, next_page_token })
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
        && let Err(error) = text::check_name(&name)
    {
        errors.add("name", error.to_string());
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

fn id(field: &str, text: &str) -> Result<Uuid, Error> {
    let mut errors = FieldErrors::default();
    let id = errors.id(field, text);
    errors.check()?;
    id.ok_or_else(|| Error::Internal("an id is missing and not told".into()))
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
