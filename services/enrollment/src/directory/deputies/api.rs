//! gRPC in: deputies.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::enrollment::{self as pb, deputy_service_server::DeputyService};
use xuezhu_service::{Context, FieldErrors, clock::rfc3339, refusal, runner::Call};

use super::{DeputyRow, NewDeputy};
use crate::{Parts, directory::sessions};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;

/// The service of deputies.
#[derive(Clone)]
pub struct DeputyApi(pub Arc<Parts>);

#[tonic::async_trait]
impl DeputyService for DeputyApi {
    async fn name_deputy(&self, request: Request<pb::NameDeputyRequest>) -> Result<Response<pb::NameDeputyResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "NameDeputy").await?;
        let call = Call::new("NameDeputy", request.school.clone(), &request);
        let mut errors = FieldErrors::default();
        let (from, to) = (errors.date("from_date", &request.from_date), errors.date("to_date", &request.to_date));
        let reason = errors.text("reason", &request.reason, REASON_CHARACTERS);
        errors.check()?;
        let (Some(from), Some(to), Some(reason)) = (from, to, reason) else { return Err(Status::internal("unreachable")) };
        let new = NewDeputy { school: request.school, account: request.account, from, to, reason };
        self.0
            .runner
            .mutate(&ctx, call, &new, |ctx, tx, new| {
                Box::pin(async move { Ok(pb::NameDeputyResponse { deputy: Some(told(ctx, super::name(ctx, tx, new).await?)) }) })
            })
            .await
    }

    async fn end_deputy(&self, request: Request<pb::EndDeputyRequest>) -> Result<Response<pb::EndDeputyResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "EndDeputy").await?;
        let call = Call::new("EndDeputy", request.deputy.clone(), &request);
        let with = (request.school, refusal::id("deputy", &request.deputy)?);
        let ended = self
            .0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (school, deputy)| {
                Box::pin(async move { Ok(pb::EndDeputyResponse { deputy: Some(told(ctx, super::end(ctx, tx, school, *deputy).await?)) }) })
            })
            .await?;
        sessions::refresh_now(&self.0).await;
        Ok(ended)
    }

    async fn list_deputies(&self, request: Request<pb::ListDeputiesRequest>) -> Result<Response<pb::ListDeputiesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDeputies").await?;
        self.0
            .runner
            .read(&ctx, "ListDeputies", &request.school, |ctx, tx, school| {
                Box::pin(async move {
                    let rows = super::list(ctx, tx, school).await?;
                    Ok(pb::ListDeputiesResponse { deputies: rows.into_iter().map(|row| told(ctx, row)).collect() })
                })
            })
            .await
    }
}

fn told(ctx: &Context, row: DeputyRow) -> pb::Deputy {
    let holds = row.ended_day.is_none() && row.from_day <= ctx.today() && ctx.today() <= row.to_day;
    pb::Deputy {
        deputy: row.deputy.to_string(),
        school: row.school,
        account: row.account,
        display_name: row.display_name,
        from_date: row.from_day.to_string(),
        to_date: row.to_day.to_string(),
        reason: row.reason,
        named_by: row.named_by_name,
        named_time: rfc3339(row.named_at_us),
        ended_date: row.ended_day.map(|day| day.to_string()).unwrap_or_default(),
        holds,
    }
}
