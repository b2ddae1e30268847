//! gRPC in: lists of special groups as files, whom a school should speak to, numbers.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xuezhu_intake::{
    Kind, Piece, Pieces,
    archive::{self, Wanted},
    receive::Commit,
};
use xuezhu_proto::aid::{self as pb, group_service_server::GroupService, import_groups_request};
use xuezhu_service::{Context, paging, refusal, runner::Call};

use super::import::Groups;
use crate::Parts;

/// What is recorded of who reads whom a school should speak to.
const SEES_GROUPS: &str = "查看特殊群体学生";

/// The service of special groups.
#[derive(Clone)]
pub struct GroupApi(pub Arc<Parts>);

impl GroupApi {
    fn groups(&self, ctx: &Context) -> Groups {
        Groups { parts: self.0.clone(), region: ctx.actor.organisation.clone() }
    }
}

#[tonic::async_trait]
impl GroupService for GroupApi {
    async fn import_groups(&self, request: Request<Streaming<pb::ImportGroupsRequest>>) -> Result<Response<pb::ImportGroupsResponse>, Status> {
        let kind = self.groups(&self.0.gate.context(&request, Groups::ABOUT.import).await?);
        let piece = |message: pb::ImportGroupsRequest| match message.part? {
            import_groups_request::Part::Upload(head) => Some(Piece::Head(head)),
            import_groups_request::Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
        };
        self.0.intake.import(request, piece, |_| Ok(kind), |report| pb::ImportGroupsResponse { report: Some(report) }).await
    }

    async fn get_group_import(&self, request: Request<pb::GetGroupImportRequest>) -> Result<Response<pb::GetGroupImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Groups::ABOUT.report).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let report = self.0.intake.report(&ctx, &self.groups(&ctx), import).await?;
        Ok(Response::new(pb::GetGroupImportResponse { report: Some(report) }))
    }

    async fn list_group_imports(&self, request: Request<pb::ListGroupImportsRequest>) -> Result<Response<pb::ListGroupImportsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Groups::ABOUT.list).await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of(Groups::ABOUT.list, &pb::ListGroupImportsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let before = query.after(&request.page_token)?;
        let wanted = Wanted { query: request.query, state: request.state, preview: request.preview, before, limit };
        let (imports, last) = self.0.intake.list(&ctx, &self.groups(&ctx), wanted).await?;
        Ok(Response::new(pb::ListGroupImportsResponse { imports, next_page_token: last.map(|last| query.token(&last)).unwrap_or_default() }))
    }

    async fn commit_group_import(&self, request: Request<pb::CommitGroupImportRequest>) -> Result<Response<pb::CommitGroupImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Groups::ABOUT.commit).await?;
        let call = Call::new(Groups::ABOUT.commit, request.import_id.clone(), &request);
        let preview = refusal::id("import_id", &request.import_id)?;
        let commit = Commit { preview, all_or_nothing: request.all_or_nothing, wait: request.wait.unwrap_or(true) };
        let kind = self.groups(&ctx);
        self.0.intake.commit(ctx, call, kind, commit, |report| pb::CommitGroupImportResponse { report: Some(report) }).await
    }

    async fn take_back_group_import(&self, request: Request<pb::TakeBackGroupImportRequest>) -> Result<Response<pb::TakeBackGroupImportResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Groups::ABOUT.take_back).await?;
        let call = Call::new(Groups::ABOUT.take_back, request.import_id.clone(), &request);
        let import = refusal::id("import_id", &request.import_id)?;
        let answer = |report| pb::TakeBackGroupImportResponse { report: Some(report) };
        self.0.intake.take_back(&ctx, call, &self.groups(&ctx), import, answer).await
    }

    type DownloadMarkedGroupsStream = Pieces<pb::DownloadMarkedGroupsResponse>;

    async fn download_marked_groups(&self, request: Request<pb::DownloadMarkedGroupsRequest>) -> Result<Response<Self::DownloadMarkedGroupsStream>, Status> {
        let (ctx, request) = self.0.gate.enter(request, Groups::ABOUT.marked).await?;
        let import = refusal::id("import_id", &request.import_id)?;
        let bytes = self.0.intake.marked(&ctx, &self.groups(&ctx), import, request.faulty_only).await?;
        Ok(archive::pieces(&bytes, |chunk| pb::DownloadMarkedGroupsResponse { chunk }))
    }

    type DownloadGroupTemplateStream = Pieces<pb::DownloadGroupTemplateResponse>;

    async fn download_group_template(&self, request: Request<pb::DownloadGroupTemplateRequest>) -> Result<Response<Self::DownloadGroupTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadGroupTemplate").await?;
        Ok(archive::pieces(&archive::blank::<Groups>()?, |chunk| pb::DownloadGroupTemplateResponse { chunk }))
    }

    async fn list_group_students(&self, request: Request<pb::ListGroupStudentsRequest>) -> Result<Response<pb::ListGroupStudentsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListGroupStudents").await?;
        let answer = self.0.runner.read(&ctx, "ListGroupStudents", &request.school, |ctx, tx, school| {
            Box::pin(async move { Ok(pb::ListGroupStudentsResponse { students: super::to_speak_to(ctx, tx, school).await? }) })
        });
        let answer = answer.await?;
        self.0.runner.record_reading(&ctx, "ListGroupStudents", &request.school, SEES_GROUPS).await?;
        Ok(answer)
    }

    async fn count_groups(&self, request: Request<pb::CountGroupsRequest>) -> Result<Response<pb::CountGroupsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CountGroups").await?;
        self.0.runner.read(&ctx, "CountGroups", &request.region, |ctx, tx, region| Box::pin(super::count(ctx, tx, region))).await
    }
}
