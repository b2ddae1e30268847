//! gRPC in: whose class a class is, who is in it, what was confirmed.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_domain::text;
use xuezhu_proto::enrollment::{self as pb, class_service_server::ClassService};
use xuezhu_service::{FieldErrors, paging, runner::Call};

use super::{Said, teaching};
use crate::{
    Parts,
    directory::teachers::{self, NewTeaching},
};

/// Longest text of what is wrong, in characters.
const WRONG_CHARACTERS: usize = 500;
/// Longest name of a class, in characters.
const CLASS_CHARACTERS: usize = 60;

/// The service of classes.
#[derive(Clone)]
pub struct ClassApi(pub Arc<Parts>);

/// A class that is named; notes where none is.
fn class_name(errors: &mut FieldErrors, said: &str) -> String {
    errors.text("class_name", &text::clean(said), CLASS_CHARACTERS).unwrap_or_default()
}

#[tonic::async_trait]
impl ClassService for ClassApi {
    async fn set_class_teacher(&self, request: Request<pb::SetClassTeacherRequest>) -> Result<Response<pb::SetClassTeacherResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SetClassTeacher").await?;
        let call = Call::new("SetClassTeacher", request.school.clone(), &request);
        let mut errors = FieldErrors::default();
        let (class_name, from) = (class_name(&mut errors, &request.class_name), errors.date("from_date", &request.from_date));
        errors.check()?;
        let new = NewTeaching { school: request.school, class_name, account: request.account.trim().to_owned(), from: from.unwrap_or_default() };
        self.0
            .runner
            .mutate(&ctx, call, &new, |ctx, tx, new| {
                Box::pin(async move {
                    let rows = super::set_teacher(ctx, tx, new).await?;
                    Ok(pb::SetClassTeacherResponse { teachers: rows.into_iter().map(|row| teaching(ctx, row)).collect() })
                })
            })
            .await
    }

    async fn list_class_teachers(&self, request: Request<pb::ListClassTeachersRequest>) -> Result<Response<pb::ListClassTeachersResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListClassTeachers").await?;
        self.0
            .runner
            .read(&ctx, "ListClassTeachers", &request, |ctx, tx, request| {
                Box::pin(async move {
                    let limit = paging::size(request.page_size)?;
                    let asked = pb::ListClassTeachersRequest { page_size: 0, page_token: String::new(), ..request.clone() };
                    let query = paging::Query::of("ListClassTeachers", &asked);
                    let rows = teachers::list(ctx, tx, &request.school, &text::clean(&request.class_name), query.after(&request.page_token)?, limit).await?;
                    let next_page_token = match rows.last() {
                        Some(last) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&last.teaching),
                        _ => String::new(),
                    };
                    Ok(pb::ListClassTeachersResponse { teachers: rows.into_iter().map(|row| teaching(ctx, row)).collect(), next_page_token })
                })
            })
            .await
    }

    async fn get_class_list(&self, request: Request<pb::GetClassListRequest>) -> Result<Response<pb::GetClassListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetClassList").await?;
        let mut errors = FieldErrors::default();
        let class_name = class_name(&mut errors, &request.class_name);
        errors.check()?;
        let with = (self.0.clone(), request.school, class_name);
        self.0
            .runner
            .read(&ctx, "GetClassList", &with, |ctx, tx, (parts, school, class_name)| {
                Box::pin(async move { Ok(pb::GetClassListResponse { class_list: Some(super::list(ctx, tx, parts, school, class_name).await?) }) })
            })
            .await
    }

    async fn confirm_class(&self, request: Request<pb::ConfirmClassRequest>) -> Result<Response<pb::ConfirmClassResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ConfirmClass").await?;
        let call = Call::new("ConfirmClass", request.school.clone(), &request);
        let mut errors = FieldErrors::default();
        let class_name = class_name(&mut errors, &request.class_name);
        let wrong = if request.wrong.trim().is_empty() { None } else { errors.text("wrong", &request.wrong, WRONG_CHARACTERS) };
        errors.check()?;
        let said =
            Said { school: request.school, class_name, digest: request.digest.trim().to_owned(), count: request.count, wrong: wrong.unwrap_or_default() };
        self.0
            .runner
            .mutate(&ctx, call, &said, |ctx, tx, said| {
                Box::pin(async move { Ok(pb::ConfirmClassResponse { confirmation: Some(super::confirm(ctx, tx, said).await?) }) })
            })
            .await
    }

    async fn list_class_confirmations(
        &self,
        request: Request<pb::ListClassConfirmationsRequest>,
    ) -> Result<Response<pb::ListClassConfirmationsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListClassConfirmations").await?;
        self.0
            .runner
            .read(&ctx, "ListClassConfirmations", &request, |ctx, tx, request| {
                Box::pin(async move {
                    let limit = paging::size(request.page_size)?;
                    let asked = pb::ListClassConfirmationsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
                    let query = paging::Query::of("ListClassConfirmations", &asked);
                    let before = query.after(&request.page_token)?;
                    let confirmations = super::confirmations(ctx, tx, &request.school, &text::clean(&request.class_name), before, limit).await?;
                    let next_page_token = match confirmations.last() {
                        Some(last) if i64::try_from(confirmations.len()).unwrap_or(0) == limit => query.token(&last.confirmation),
                        _ => String::new(),
                    };
                    Ok(pb::ListClassConfirmationsResponse { confirmations, next_page_token })
                })
            })
            .await
    }
}
