//! gRPC in: hardship levels.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, hardship_level, hardship_service_server::HardshipService};
use xuezhu_service::{
    Error, Refusal,
    paging::{self, Turn},
    refusal,
    runner::Call,
};

use super::{Asked, Entered, family_of, rules::State, store::Narrowed};
use crate::Parts;

/// What reading a level whole is for, as the audit keeps it.
const SEES_FAMILY: &str = "查看家庭经济信息";

/// The service of hardship levels.
#[derive(Clone)]
pub struct HardshipApi(pub Arc<Parts>);

#[tonic::async_trait]
impl HardshipService for HardshipApi {
    async fn enter_hardship(&self, request: Request<pb::EnterHardshipRequest>) -> Result<Response<pb::EnterHardshipResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "EnterHardship").await?;
        let call = Call::new("EnterHardship", request.school.clone(), &request);
        if request.person.is_empty() {
            return Err(Error::from(Refusal::field("person", "请选择学生")).into());
        }
        let entered = Entered {
            person: refusal::id("person", &request.person)?,
            school: request.school,
            school_year: request.school_year,
            level: request.level,
            from_date: request.from_date,
            family: request.family.map(family_of),
        };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), entered), |ctx, tx, (parts, entered)| {
                Box::pin(async move { Ok(pb::EnterHardshipResponse { level: Some(super::enter(ctx, tx, parts, entered).await?) }) })
            })
            .await
    }

    async fn remove_hardship(&self, request: Request<pb::RemoveHardshipRequest>) -> Result<Response<pb::RemoveHardshipResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RemoveHardship").await?;
        let call = Call::new("RemoveHardship", request.determination.clone(), &request);
        let with = (request.school, refusal::id("determination", &request.determination)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (school, determination)| {
                Box::pin(async move { Ok(pb::RemoveHardshipResponse { level: Some(super::remove(ctx, tx, school, *determination).await?) }) })
            })
            .await
    }

    async fn submit_hardship(&self, request: Request<pb::SubmitHardshipRequest>) -> Result<Response<pb::SubmitHardshipResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SubmitHardship").await?;
        let call = Call::new("SubmitHardship", request.school.clone(), &request);
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request), |ctx, tx, (parts, asked)| {
                Box::pin(async move {
                    let dossier = super::submit(ctx, tx, parts, &asked.school, asked.school_year, asked.count, &asked.reason).await?;
                    Ok(pb::SubmitHardshipResponse { dossier: Some(dossier) })
                })
            })
            .await
    }

    async fn list_hardship(&self, request: Request<pb::ListHardshipRequest>) -> Result<Response<pb::ListHardshipResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListHardship").await?;
        let query = paging::Query::of("ListHardship", &pb::ListHardshipRequest { page_size: 0, page_token: String::new(), page_number: 0, ..request.clone() });
        let turn = Turn::of(query, &request.page_token, request.page_number, request.page_size)?;
        let state = match refusal::known::<hardship_level::State>("state", request.state)? {
            hardship_level::State::Unspecified => 0,
            hardship_level::State::Draft => State::Draft.code(),
            hardship_level::State::Submitted => State::Submitted.code(),
            hardship_level::State::Determined | hardship_level::State::Replaced => State::Determined.code(),
            hardship_level::State::Dropped => State::Dropped.code(),
        };
        let narrowed = Narrowed { school: request.school, school_year: request.school_year, state, class_name: request.class_name, name: request.name };
        self.0
            .runner
            .read(&ctx, "ListHardship", &(self.0.clone(), Asked { narrowed, turn }, query), |ctx, tx, (parts, asked, query)| {
                Box::pin(async move {
                    let (answer, last) = super::list(ctx, tx, parts, asked).await?;
                    let next_page_token = asked.turn.next(*query, &answer.levels, |_| last);
                    Ok(pb::ListHardshipResponse { next_page_token, ..answer })
                })
            })
            .await
    }

    async fn get_hardship(&self, request: Request<pb::GetHardshipRequest>) -> Result<Response<pb::GetHardshipResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetHardship").await?;
        let with = (self.0.clone(), request.school.clone(), refusal::id("determination", &request.determination)?);
        let answer = self
            .0
            .runner
            .read(&ctx, "GetHardship", &with, |ctx, tx, (parts, school, determination)| {
                Box::pin(async move { Ok(pb::GetHardshipResponse { level: Some(super::whole(ctx, tx, parts, school, *determination).await?) }) })
            })
            .await?;
        self.0.runner.record_reading(&ctx, "GetHardship", &request.determination, SEES_FAMILY).await?;
        Ok(answer)
    }
}
