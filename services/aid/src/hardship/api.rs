//! gRPC in: hardship levels.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xuezhu_intake::{
    Kind, Piece, Pieces,
    archive::{self, Wanted},
    receive::Commit,
};
use xuezhu_proto::{
    aid::{self as pb, hardship_level, hardship_service_server::HardshipService, import_hardship_request},
    common::Upload,
};
use xuezhu_service::{
    Error, Refusal,
    paging::{self, Turn},
    refusal,
    runner::Call,
};

use super::{Asked, Entered, family_of, import::Levels, rules::State, store::Narrowed};
use crate::Parts;

/// What reading a level whole is for, as the audit keeps it.
const SEES_FAMILY: &str = "查看家庭经济信息";

/// The service of hardship levels.
#[derive(Clone)]
pub struct HardshipApi(pub Arc<Parts>);

impl HardshipApi {
    fn levels(&self, school: &str) -> Levels {
        Levels { parts: self.0.clone(), school: school.to_owned() }
    }
}

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
        let with = (self.0.clone(), request.school, refusal::id("determination", &request.determination)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, determination)| {
                Box::pin(async move { Ok(pb::RemoveHardshipResponse { level: Some(super::remove(ctx, tx, parts, school, *determination).await?) }) })
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

    async fn import_hardship(&self, request: Request<Streaming<pb::ImportHardshipRequest>>) -> Result<Response<pb::ImportHardshipResponse>, Status> {
        let piece = |message: pb::ImportHardshipRequest| match message.part? {
            import_hardship_request::Part::Upload(head) => Some(Piece::Head(head)),
            import_hardship_request::Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
        };
        let kind = |head: &Upload| Ok(self.levels(&head.school));
        self.0.intake.import(request, piece, kind, |report| pb::ImportHardshipResponse { report: Some(report) }).await
    }

    async fn get_hardship_import(&self, request: Request<pb::GetHardshipImportRequest>) -> Result<Response<pb::GetHardshipImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Levels::ABOUT.report).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let report = self.0.intake.report(&ctx, &self.levels(&request.school), import).await?;
        Ok(Response::new(pb::GetHardshipImportResponse { report: Some(report) }))
    }

    async fn list_hardship_imports(&self, request: Request<pb::ListHardshipImportsRequest>) -> Result<Response<pb::ListHardshipImportsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Levels::ABOUT.list).await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of(Levels::ABOUT.list, &pb::ListHardshipImportsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let before = query.after(&request.page_token)?;
        let wanted = Wanted { query: request.query, state: request.state, preview: request.preview, before, limit };
        let (imports, last) = self.0.intake.list(&ctx, &self.levels(&request.school), wanted).await?;
        Ok(Response::new(pb::ListHardshipImportsResponse { imports, next_page_token: last.map(|last| query.token(&last)).unwrap_or_default() }))
    }

    async fn commit_hardship_import(&self, request: Request<pb::CommitHardshipImportRequest>) -> Result<Response<pb::CommitHardshipImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Levels::ABOUT.commit).await?;
        let call = Call::new(Levels::ABOUT.commit, request.import_id.clone(), &request);
        let preview = refusal::id("import_id", &request.import_id)?;
        let commit = Commit { preview, all_or_nothing: request.all_or_nothing, wait: request.wait.unwrap_or(true) };
        let kind = self.levels(&request.school);
        self.0.intake.commit(ctx, call, kind, commit, |report| pb::CommitHardshipImportResponse { report: Some(report) }).await
    }

    async fn take_back_hardship_import(
        &self,
        request: Request<pb::TakeBackHardshipImportRequest>,
    ) -> Result<Response<pb::TakeBackHardshipImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Levels::ABOUT.take_back).await?;
        let call = Call::new(Levels::ABOUT.take_back, request.import_id.clone(), &request);
        let import = refusal::id("import_id", &request.import_id)?;
        let answer = |report| pb::TakeBackHardshipImportResponse { report: Some(report) };
        self.0.intake.take_back(&ctx, call, &self.levels(&request.school), import, answer).await
    }

    type DownloadMarkedHardshipStream = Pieces<pb::DownloadMarkedHardshipResponse>;

    async fn download_marked_hardship(
        &self,
        request: Request<pb::DownloadMarkedHardshipRequest>,
    ) -> Result<Response<Self::DownloadMarkedHardshipStream>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Levels::ABOUT.marked).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let bytes = self.0.intake.marked(&ctx, &self.levels(&request.school), import, request.faulty_only).await?;
        Ok(archive::pieces(&bytes, |chunk| pb::DownloadMarkedHardshipResponse { chunk }))
    }

    type DownloadHardshipTemplateStream = Pieces<pb::DownloadHardshipTemplateResponse>;

    async fn download_hardship_template(
        &self,
        request: Request<pb::DownloadHardshipTemplateRequest>,
    ) -> Result<Response<Self::DownloadHardshipTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadHardshipTemplate").await?;
        Ok(archive::pieces(&archive::blank::<Levels>()?, |chunk| pb::DownloadHardshipTemplateResponse { chunk }))
    }
}
