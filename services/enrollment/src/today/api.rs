//! gRPC in: what the day begins with.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::enrollment::{self as pb, enrollment_today_service_server::EnrollmentTodayService};
use xuezhu_service::paging;

use crate::Parts;

/// The service of the first page.
#[derive(Clone)]
pub struct TodayApi(pub Arc<Parts>);

#[tonic::async_trait]
impl EnrollmentTodayService for TodayApi {
    async fn get_enrollment_today(&self, request: Request<pb::GetEnrollmentTodayRequest>) -> Result<Response<pb::GetEnrollmentTodayResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetEnrollmentToday").await?;
        let with = (self.0.clone(), paging::size(request.page_size)?);
        self.0.runner.read(&ctx, "GetEnrollmentToday", &with, |ctx, tx, (parts, limit)| Box::pin(super::of(ctx, tx, parts, *limit))).await
    }
}
