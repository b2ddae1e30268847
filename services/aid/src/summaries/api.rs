//! gRPC in: summaries of a term.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, summary_service_server::SummaryService};
use xuezhu_service::{refusal, runner::Call};

use crate::Parts;

/// The service of summaries.
#[derive(Clone)]
pub struct SummaryApi(pub Arc<Parts>);

#[tonic::async_trait]
impl SummaryService for SummaryApi {
    async fn preview_summary(&self, request: Request<pb::PreviewSummaryRequest>) -> Result<Response<pb::PreviewSummaryResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "PreviewSummary").await?;
        self.0
            .runner
            .read(&ctx, "PreviewSummary", &(self.0.clone(), request), |ctx, tx, (parts, request)| {
                Box::pin(async move {
                    let summary = super::preview(ctx, tx, parts, &request.region, &request.term).await?;
                    Ok(pb::PreviewSummaryResponse { summary: Some(summary) })
                })
            })
            .await
    }

    async fn submit_summary(&self, request: Request<pb::SubmitSummaryRequest>) -> Result<Response<pb::SubmitSummaryResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SubmitSummary").await?;
        let call = Call::new("SubmitSummary", request.term.clone(), &request);
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request), |ctx, tx, (parts, request)| {
                Box::pin(async move {
                    let summary = super::submit(ctx, tx, parts, &request.term, &request.digest).await?;
                    Ok(pb::SubmitSummaryResponse { summary: Some(summary) })
                })
            })
            .await
    }

    async fn get_summary(&self, request: Request<pb::GetSummaryRequest>) -> Result<Response<pb::GetSummaryResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetSummary").await?;
        let with = (self.0.clone(), refusal::id("summary", &request.summary)?);
        self.0
            .runner
            .read(&ctx, "GetSummary", &with, |ctx, tx, (parts, summary)| {
                Box::pin(async move { Ok(pb::GetSummaryResponse { summary: Some(super::one(ctx, tx, parts, *summary).await?) }) })
            })
            .await
    }

    async fn list_summaries(&self, request: Request<pb::ListSummariesRequest>) -> Result<Response<pb::ListSummariesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListSummaries").await?;
        self.0.runner.read(&ctx, "ListSummaries", &request, |ctx, tx, request| Box::pin(super::of_region(ctx, tx, &request.region, &request.term))).await
    }
}
