//! gRPC in: how a region stands.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, overview_service_server::OverviewService};

use super::{numbers, sheet};
use crate::{Parts, reconciliation};

/// The service of overviews.
#[derive(Clone)]
pub struct OverviewApi(pub Arc<Parts>);

#[tonic::async_trait]
impl OverviewService for OverviewApi {
    async fn get_inspection_sheet(&self, request: Request<pb::GetInspectionSheetRequest>) -> Result<Response<pb::GetInspectionSheetResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetInspectionSheet").await?;
        self.0
            .runner
            .read(&ctx, "GetInspectionSheet", &(self.0.clone(), request), |ctx, tx, (parts, request)| {
                Box::pin(async move {
                    let as_of_time = reconciliation::api::mirror(parts, 0).as_of_time;
                    let sheet = sheet::of(ctx, tx, parts, &request.school, &request.term).await?;
                    Ok(pb::GetInspectionSheetResponse { as_of_time, ..sheet })
                })
            })
            .await
    }

    async fn get_list_numbers(&self, request: Request<pb::GetListNumbersRequest>) -> Result<Response<pb::GetListNumbersResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetListNumbers").await?;
        self.0.runner.read(&ctx, "GetListNumbers", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(numbers::of(ctx, tx, parts, request))).await
    }

    async fn get_overview(&self, request: Request<pb::GetOverviewRequest>) -> Result<Response<pb::GetOverviewResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetOverview").await?;
        let with = (self.0.clone(), request);
        self.0
            .runner
            .read(&ctx, "GetOverview", &with, |ctx, tx, (parts, request)| {
                Box::pin(async move {
                    let asked = super::asked(ctx, request)?;
                    let as_of_time = reconciliation::api::mirror(parts, 0).as_of_time;
                    Ok(pb::GetOverviewResponse { as_of_time, ..super::of(ctx, tx, parts, &asked).await? })
                })
            })
            .await
    }
}
