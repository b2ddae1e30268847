//! gRPC in: the upload as a stream, its report, the marked and the blank workbook.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use xuezhu_proto::{
    common::ImportReport,
    enrollment::{self as pb, import_enrollments_request::Part},
};
use xuezhu_service::{Error, Permission, Reason, Refusal, refusal, runner::Call, uploads};
use xuezhu_workbook::UPLOAD_BYTES;

use super::{Upload, rules};
use crate::{Parts, directory};

/// Bytes of a piece of a file that is sent.
const CHUNK_BYTES: usize = 256 * 1024;

/// A file that is sent in pieces.
pub type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Takes an upload in and imports it.
pub async fn import(parts: &Arc<Parts>, request: Request<Streaming<pb::ImportEnrollmentsRequest>>) -> Result<Response<pb::ImportEnrollmentsResponse>, Status> {
    let ctx = parts.gate.context(&request, "ImportEnrollments").await?;
    let mut stream = request.into_inner();
    let Some(Part::Upload(head)) = stream.message().await?.and_then(|message| message.part) else {
        return Err(Error::from(Refusal::field("upload", "第一段应说明学校和方式")).into());
    };
    // Whoever may not enter is told before the file is read.
    let asked = head.school.clone();
    parts
        .runner
        .read(&ctx, "ImportEnrollments", &asked, |ctx, tx, school| {
            Box::pin(async move { directory::school_for(ctx, tx, school, Permission::EnterForSchool).await.map(drop) })
        })
        .await?;
    let _turn = parts.gate.uploads().turn(&ctx.actor.account).await?;
    let piece = |message: pb::ImportEnrollmentsRequest| if let Some(Part::Chunk(chunk)) = message.part { Some(chunk) } else { None };
    let bytes = match uploads::collect(&mut stream, piece, UPLOAD_BYTES).await {
        Ok(bytes) => bytes,
        Err(error) => {
            parts.runner.record_refusal(&ctx, "ImportEnrollments", &head.school, error.reason()).await;
            return Err(error.into());
        }
    };
    let content_hash = *blake3::hash(&bytes).as_bytes();
    let call = Call::of_bytes(
        "ImportEnrollments",
        head.school.clone(),
        &[
            &content_hash[..],
            &[u8::from(head.preview), u8::from(head.all_or_nothing), u8::from(head.include_hidden), u8::from(head.blank_clears)],
            head.school.as_bytes(),
        ]
        .concat(),
    );
    let (import, keyring) = (ctx.new_id(), parts.keyring.clone());
    let read = tokio::task::spawn_blocking(move || {
        let tables = super::read_tables(&bytes)?;
        let sealed = keyring.seal("upload", &[import], &bytes);
        Ok::<_, Error>((tables, sealed))
    })
    .await
    .unwrap_or_else(|_| Err(Refusal::new(Reason::FileUnreadable, "文件内部结构损坏，无法读取；请用Excel或WPS另存为.xlsx后重新上传").into()));
    let (tables, sealed) = match read {
        Ok(read) => read,
        Err(error) => {
            parts.runner.record_refusal(&ctx, "ImportEnrollments", &head.school, error.reason()).await;
            return Err(error.into());
        }
    };
    let upload = Upload {
        school: head.school,
        preview: head.preview,
        all_or_nothing: head.all_or_nothing,
        include_hidden: head.include_hidden,
        blank_clears: head.blank_clears,
        import,
        tables: Arc::new(tables),
        file_sealed: Arc::new(sealed),
        content_hash,
    };
    parts
        .runner
        .mutate(&ctx, call, &(parts.clone(), upload), |ctx, tx, (parts, upload)| {
            Box::pin(async move { Ok(pb::ImportEnrollmentsResponse { report: Some(super::import(ctx, tx, parts, upload).await?) }) })
        })
        .await
}

/// The report of an import.
pub async fn get(parts: &Arc<Parts>, request: Request<pb::GetImportRequest>) -> Result<Response<pb::GetImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "GetImport").await?;
    let asked = (parts.clone(), request.school, refusal::id("import_id", &request.import_id)?);
    let report: Response<ImportReport> =
        parts.runner.read(&ctx, "GetImport", &asked, |ctx, tx, (parts, school, import)| Box::pin(super::report(ctx, tx, parts, school, *import))).await?;
    Ok(report.map(|report| pb::GetImportResponse { report: Some(report) }))
}

/// Imports what was previewed.
pub async fn commit(parts: &Arc<Parts>, request: Request<pb::CommitImportRequest>) -> Result<Response<pb::CommitImportResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "CommitImport").await?;
    let call = Call::new("CommitImport", request.import_id.clone(), &request);
    let asked = (parts.clone(), request.school, refusal::id("import_id", &request.import_id)?, request.all_or_nothing);
    parts
        .runner
        .mutate(&ctx, call, &asked, |ctx, tx, (parts, school, import, all)| {
            Box::pin(async move { Ok(pb::CommitImportResponse { report: Some(super::commit(ctx, tx, parts, school, *import, *all).await?) }) })
        })
        .await
}

/// The marked workbook.
pub async fn marked(
    parts: &Arc<Parts>,
    request: Request<pb::DownloadMarkedWorkbookRequest>,
) -> Result<Response<Pieces<pb::DownloadMarkedWorkbookResponse>>, Status> {
    let (ctx, request) = parts.gate.enter(request, "DownloadMarkedWorkbook").await?;
    let import = refusal::id("import_id", &request.import_id)?;
    let asked = (parts.clone(), request.school, import, request.faulty_only);
    let bytes = parts
        .runner
        .read(&ctx, "DownloadMarkedWorkbook", &asked, |ctx, tx, (parts, school, import, faulty_only)| {
            Box::pin(super::marked_workbook(ctx, tx, parts, school, *import, *faulty_only))
        })
        .await?
        .into_inner();
    parts.runner.record_reading(&ctx, "DownloadMarkedWorkbook", &import.to_string(), "核对导入的问题").await?;
    Ok(Response::new(pieces(&bytes).map(|chunk| Ok(pb::DownloadMarkedWorkbookResponse { chunk })).boxed()))
}

/// The blank workbook.
pub fn template() -> Result<Response<Pieces<pb::DownloadTemplateResponse>>, Status> {
    let (notes, columns) = rules::template();
    let template = xuezhu_workbook::Template { title: rules::TITLE, notes: &notes, columns: &columns };
    let bytes = xuezhu_workbook::blank(template).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Response::new(pieces(&bytes).map(|chunk| Ok(pb::DownloadTemplateResponse { chunk })).boxed()))
}

fn pieces(bytes: &[u8]) -> impl Stream<Item = Vec<u8>> + Send + use<> {
    let pieces: Vec<Vec<u8>> = bytes.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect();
    futures_util::stream::iter(pieces)
}
