//! gRPC in: the audit.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::enrollment::{self as pb, enrollment_audit_service_server::EnrollmentAuditService};
use xuezhu_service::{Error, Permission, Place, audits::Filter, paging};

use crate::Parts;

/// The service of the audit.
#[derive(Clone)]
pub struct AuditApi(pub Arc<Parts>);

#[tonic::async_trait]
impl EnrollmentAuditService for AuditApi {
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

    async fn exchange_heads(&self, request: Request<pb::ExchangeHeadsRequest>) -> Result<Response<pb::ExchangeHeadsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ExchangeHeads").await?;
        ctx.may(Permission::FollowSessions, &Place::Region(""))?;
        let exchanged = async {
            self.0.audits.compare(request.kept).await?;
            let kept = self.0.audits.kept().await?;
            self.0.audits.keep(request.head).await?;
            Ok::<_, Error>(pb::ExchangeHeadsResponse { head: self.0.audits.head().await?, kept })
        };
        Ok(Response::new(exchanged.await?))
    }
}
