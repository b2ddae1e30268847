//! gRPC in: the upload as a stream, its report, the marked and the blank workbook.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xuezhu_intake::{
    Kind, Piece, Pieces,
    archive::{self, Wanted},
    receive::Commit,
};
use xuezhu_proto::enrollment::{self as pb, import_enrollments_request::Part};
use xuezhu_service::{paging, refusal, runner::Call};

use super::Students;
use crate::Parts;

fn students(parts: &Arc<Parts>, school: &str) -> Students {
    Students { parts: parts.clone(), school: school.to_owned() }
}

/// Takes an upload in and imports it.
pub async fn import(parts: &Arc<Parts>, request: Request<Streaming<pb::ImportEnrollmentsRequest>>) -> Result<Response<pb::ImportEnrollmentsResponse>, Status> {
    let piece = |message: pb::ImportEnrollmentsRequest| match message.part? {
        Part::Upload(head) => Some(Piece::Head(head)),
        Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
    };
    let kind = |head: &xuezhu_proto::common::Upload| Ok(students(parts, &head.school));
    parts.intake.import(request, piece, kind, |report| pb::ImportEnrollmentsResponse { report: Some(report) }).await
}

/// The report of an import.
pub async fn get(parts: &Arc<Parts>, request: Request<pb::GetImportRequest>) -> Result<Response<pb::GetImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Students::ABOUT.report).await?;
    let import = refusal::id("import_id", &request.import_id)?;
    let report = parts.intake.report(&ctx, &students(parts, &request.school), import).await?;
    Ok(Response::new(pb::GetImportResponse { report: Some(report) }))
}

/// Imports of a school.
pub async fn list(parts: &Arc<Parts>, request: Request<pb::ListImportsRequest>) -> Result<Response<pb::ListImportsResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Students::ABOUT.list).await?;
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListImports", &pb::ListImportsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let before = query.after(&request.page_token)?;
    let wanted = Wanted { query: request.query, state: request.state, preview: request.preview, before, limit };
    let (imports, last) = parts.intake.list(&ctx, &students(parts, &request.school), wanted).await?;
    Ok(Response::new(pb::ListImportsResponse { imports, next_page_token: last.map(|last| query.token(&last)).unwrap_or_default() }))
}

/// Imports what was previewed.
pub async fn commit(parts: &Arc<Parts>, request: Request<pb::CommitImportRequest>) -> Result<Response<pb::CommitImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Students::ABOUT.commit).await?;
    let call = Call::new(Students::ABOUT.commit, request.import_id.clone(), &request);
    let commit = Commit { preview: refusal::id("import_id", &request.import_id)?, all_or_nothing: request.all_or_nothing, wait: request.wait.unwrap_or(true) };
    parts.intake.commit(ctx, call, students(parts, &request.school), commit, |report| pb::CommitImportResponse { report: Some(report) }).await
}

/// Takes an import back.
pub async fn take_back(parts: &Arc<Parts>, request: Request<pb::TakeBackImportRequest>) -> Result<Response<pb::TakeBackImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Students::ABOUT.take_back).await?;
    let call = Call::new(Students::ABOUT.take_back, request.import_id.clone(), &request);
    let import = refusal::id("import_id", &request.import_id)?;
    let answer = |report| pb::TakeBackImportResponse { report: Some(report) };
    parts.intake.take_back(&ctx, call, &students(parts, &request.school), import, answer).await
}

/// The marked workbook.
pub async fn marked(
    parts: &Arc<Parts>,
    request: Request<pb::DownloadMarkedWorkbookRequest>,
) -> Result<Response<Pieces<pb::DownloadMarkedWorkbookResponse>>, Status> {
    let (ctx, request) = parts.gate.enter(request, Students::ABOUT.marked).await?;
    let import = refusal::id("import_id", &request.import_id)?;
    let bytes = parts.intake.marked(&ctx, &students(parts, &request.school), import, request.faulty_only).await?;
    Ok(archive::pieces(&bytes, |chunk| pb::DownloadMarkedWorkbookResponse { chunk }))
}

/// The blank workbook.
pub fn template() -> Result<Response<Pieces<pb::DownloadTemplateResponse>>, Status> {
    Ok(archive::pieces(&archive::blank::<Students>()?, |chunk| pb::DownloadTemplateResponse { chunk }))
}
