//! gRPC in: the audit.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, aid_audit_service_server::AidAuditService};
use xuezhu_service::{audits::Filter, paging};

use crate::Parts;

/// The service of the audit.
#[derive(Clone)]
pub struct AuditApi(pub Arc<Parts>);

#[tonic::async_trait]
impl AidAuditService for AuditApi {
    async fn list_audit_lines(&self, request: Request<pb::ListAuditLinesRequest>) -> Result<Response<pb::ListAuditLinesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListAuditLines").await?;
        let query = paging::Query::of("ListAuditLines", &pb::ListAuditLinesRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let filter = Filter {
            outcome: request.outcome(),
            from_day: request.from_day,
            to_day: request.to_day,
            region: request.region,
            school: request.school,
            account: request.account,
            method: request.method,
            reason: request.reason,
        };
        let (lines, next_page_token) = self.0.audits.lines(&ctx, filter, query, (request.page_size, &request.page_token)).await?;
        Ok(Response::new(pb::ListAuditLinesResponse { lines, next_page_token }))
    }

    async fn get_audit_standing(&self, request: Request<pb::GetAuditStandingRequest>) -> Result<Response<pb::GetAuditStandingResponse>, Status> {
        let (ctx, _) = self.0.gate.enter(request, "GetAuditStanding").await?;
        Ok(Response::new(pb::GetAuditStandingResponse { standing: Some(self.0.audits.standing(&ctx).await?) }))
    }
}
