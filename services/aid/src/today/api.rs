//! gRPC in: what the day begins with.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, aid_today_service_server::AidTodayService};

use crate::{Parts, reconciliation};

/// The service of the first page.
#[derive(Clone)]
pub struct TodayApi(pub Arc<Parts>);

#[tonic::async_trait]
impl AidTodayService for TodayApi {
    async fn get_aid_today(&self, request: Request<pb::GetAidTodayRequest>) -> Result<Response<pb::GetAidTodayResponse>, Status> {
        let (ctx, _) = self.0.gate.enter(request, "GetAidToday").await?;
        self.0
            .runner
            .read(&ctx, "GetAidToday", &self.0, |ctx, tx, parts| {
                Box::pin(async move {
                    let (today, forgotten) = super::of(ctx, tx, parts).await?;
                    Ok(pb::GetAidTodayResponse { mirror: Some(reconciliation::api::mirror(parts, forgotten)), ..today })
                })
            })
            .await
    }
}
