//! gRPC in: a list as a file, its report, the marked and the blank workbook.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xuezhu_intake::{
    Kind, Piece, Pieces,
    archive::{self, Wanted},
    receive::Commit,
};
use xuezhu_proto::{
    aid::{self as pb, import_awards_request::Part},
    common::Upload,
};
use xuezhu_service::{Error, paging, refusal, runner::Call};

use super::Awards;
use crate::Parts;

fn awards(parts: &Arc<Parts>, school: &str, list: &str) -> Result<Awards, Error> {
    Ok(Awards { parts: parts.clone(), school: school.to_owned(), list: refusal::id("list", list)? })
}

/// Takes an upload in and imports it.
pub async fn import(parts: &Arc<Parts>, request: Request<Streaming<pb::ImportAwardsRequest>>) -> Result<Response<pb::ImportAwardsResponse>, Status> {
    let piece = |message: pb::ImportAwardsRequest| match message.part? {
        Part::Upload(head) => Some(Piece::Head(head)),
        Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
    };
    let kind = |head: &Upload| awards(parts, &head.school, &head.list);
    parts.intake.import(request, piece, kind, |report| pb::ImportAwardsResponse { report: Some(report) }).await
}

/// The report of an import.
pub async fn get(parts: &Arc<Parts>, request: Request<pb::GetAwardImportRequest>) -> Result<Response<pb::GetAwardImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Awards::ABOUT.report).await?;
    let import = refusal::id("import_id", &request.import_id)?;
    let report = parts.intake.report(&ctx, &awards(parts, &request.school, &request.list)?, import).await?;
    Ok(Response::new(pb::GetAwardImportResponse { report: Some(report) }))
}

/// Imports into a list.
pub async fn list(parts: &Arc<Parts>, request: Request<pb::ListAwardImportsRequest>) -> Result<Response<pb::ListAwardImportsResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Awards::ABOUT.list).await?;
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListAwardImports", &pb::ListAwardImportsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let before = query.after(&request.page_token)?;
    let kind = awards(parts, &request.school, &request.list)?;
    let wanted = Wanted { query: request.query, state: request.state, preview: request.preview, before, limit };
    let (imports, last) = parts.intake.list(&ctx, &kind, wanted).await?;
    Ok(Response::new(pb::ListAwardImportsResponse { imports, next_page_token: last.map(|last| query.token(&last)).unwrap_or_default() }))
}

/// Imports what was previewed.
pub async fn commit(parts: &Arc<Parts>, request: Request<pb::CommitAwardImportRequest>) -> Result<Response<pb::CommitAwardImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Awards::ABOUT.commit).await?;
    let call = Call::new(Awards::ABOUT.commit, request.import_id.clone(), &request);
    let kind = awards(parts, &request.school, &request.list)?;
    let commit = Commit { preview: refusal::id("import_id", &request.import_id)?, all_or_nothing: request.all_or_nothing, wait: request.wait.unwrap_or(true) };
    parts.intake.commit(ctx, call, kind, commit, |report| pb::CommitAwardImportResponse { report: Some(report) }).await
}

/// Takes an import back.
pub async fn take_back(parts: &Arc<Parts>, request: Request<pb::TakeBackAwardImportRequest>) -> Result<Response<pb::TakeBackAwardImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, Awards::ABOUT.take_back).await?;
    let call = Call::new(Awards::ABOUT.take_back, request.import_id.clone(), &request);
    let kind = awards(parts, &request.school, &request.list)?;
    let answer = |report| pb::TakeBackAwardImportResponse { report: Some(report) };
    parts.intake.take_back(&ctx, call, &kind, refusal::id("import_id", &request.import_id)?, answer).await
}

/// The marked workbook.
pub async fn marked(
    parts: &Arc<Parts>,
    request: Request<pb::DownloadMarkedAwardsRequest>,
) -> Result<Response<Pieces<pb::DownloadMarkedAwardsResponse>>, Status> {
    let (ctx, request) = parts.gate.enter(request, Awards::ABOUT.marked).await?;
    let kind = awards(parts, &request.school, &request.list)?;
    let bytes = parts.intake.marked(&ctx, &kind, refusal::id("import_id", &request.import_id)?, request.faulty_only).await?;
    Ok(archive::pieces(&bytes, |chunk| pb::DownloadMarkedAwardsResponse { chunk }))
}

/// The blank workbook.
pub fn template() -> Result<Response<Pieces<pb::DownloadAwardTemplateResponse>>, Status> {
    Ok(archive::pieces(&archive::blank::<Awards>()?, |chunk| pb::DownloadAwardTemplateResponse { chunk }))
}
