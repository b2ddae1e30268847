//! gRPC in: limits as they stand.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, quota_service_server::QuotaService};
use xuezhu_service::{
    paging::{self, Turn},
    runner::Call,
};

use super::{After, Asked};
use crate::Parts;

/// The service of limits.
#[derive(Clone)]
pub struct QuotaApi(pub Arc<Parts>);

#[tonic::async_trait]
impl QuotaService for QuotaApi {
    async fn list_quotas(&self, request: Request<pb::ListQuotasRequest>) -> Result<Response<pb::ListQuotasResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListQuotas").await?;
        let query = paging::Query::of("ListQuotas", &pb::ListQuotasRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let turn = Turn::<After>::of(query, &request.page_token, 0, request.page_size)?;
        let asked = Asked { school: request.school, scheme: request.scheme, term: request.term, policy: request.policy_version };
        self.0
            .runner
            .read(&ctx, "ListQuotas", &(self.0.clone(), asked, turn, query), |ctx, tx, (parts, asked, turn, query)| {
                Box::pin(async move {
                    let (quotas, last) = super::list(ctx, tx, parts, asked, turn).await?;
                    let next_page_token = last.map(|last| query.token(&last)).unwrap_or_default();
                    Ok(pb::ListQuotasResponse { quotas, next_page_token })
                })
            })
            .await
    }

    async fn recount_quotas(&self, request: Request<pb::RecountQuotasRequest>) -> Result<Response<pb::RecountQuotasResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RecountQuotas").await?;
        let call = Call::new("RecountQuotas", request.school.clone(), &request);
        let asked = Asked { school: request.school, scheme: request.scheme, term: request.term, policy: request.policy_version };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), asked), |ctx, tx, (parts, asked)| {
                Box::pin(async move { Ok(pb::RecountQuotasResponse { quotas: super::recount(ctx, tx, parts, asked).await? }) })
            })
            .await
    }
}
