//! gRPC in: what students signed.

use std::{collections::HashSet, sync::Arc};

use tonic::{Request, Response, Status};
use xuezhu_domain::text;
use xuezhu_judge::case::StatementKind;
use xuezhu_proto::aid::{self as pb, statement_service_server::StatementService};
use xuezhu_service::{FieldErrors, refusal, runner::Call};

use super::{
    Recorded,
    rules::{self, Signer},
};
use crate::Parts;

/// The service of statements.
#[derive(Clone)]
pub struct StatementApi(pub Arc<Parts>);

#[tonic::async_trait]
impl StatementService for StatementApi {
    async fn record_statements(&self, request: Request<pb::RecordStatementsRequest>) -> Result<Response<pb::RecordStatementsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RecordStatements").await?;
        let call = Call::new("RecordStatements", request.school.clone(), &request);
        let mut errors = FieldErrors::default();
        let (kind, signer) = (StatementKind::try_from(request.kind), Signer::try_from(request.signer));
        if kind.is_err() {
            errors.add("kind", "应为APPLICATION（申请）或WAIVER（自愿放弃）");
        }
        if signer.is_err() {
            errors.add("signer", "应为STUDENT、GUARDIAN或BOTH");
        }
        let mut persons = HashSet::new();
        rules::check_count(&mut errors, request.persons.len());
        for (at, person) in request.persons.iter().enumerate().take(rules::NAMED) {
            if let Some(id) = errors.id(&format!("persons[{at}]"), person) {
                persons.insert(id);
            }
        }
        let class_name = text::clean(&request.class_name);
        if class_name.is_empty() && !request.class_name.is_empty() {
            errors.add("class_name", "班级名称是空白的；全校一起登记的不填班级");
        }
        errors.check()?;
        let (Ok(kind), Ok(signer)) = (kind, signer) else { return Err(Status::internal("unreachable")) };
        let recorded = Recorded {
            school: request.school,
            scheme: request.scheme.trim().to_owned(),
            term: request.term.trim().to_owned(),
            kind,
            signer,
            signed_date: request.signed_date.trim().to_owned(),
            persons,
            class_name,
            seen: request.count,
        };
        self.0.runner.mutate(&ctx, call, &(self.0.clone(), recorded), |ctx, tx, (parts, recorded)| Box::pin(super::record(ctx, tx, parts, recorded))).await
    }

    async fn withdraw_statement(&self, request: Request<pb::WithdrawStatementRequest>) -> Result<Response<pb::WithdrawStatementResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "WithdrawStatement").await?;
        let call = Call::new("WithdrawStatement", request.statement.clone(), &request);
        let with = (self.0.clone(), request.school, refusal::id("statement", &request.statement)?, request.reason);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, statement, reason)| {
                Box::pin(async move {
                    let statement = super::withdraw(ctx, tx, parts, school, *statement, reason).await?;
                    Ok(pb::WithdrawStatementResponse { statement: Some(statement) })
                })
            })
            .await
    }

    async fn list_statements(&self, request: Request<pb::ListStatementsRequest>) -> Result<Response<pb::ListStatementsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListStatements").await?;
        self.0.runner.read(&ctx, "ListStatements", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(super::list(ctx, tx, parts, request))).await
    }
}
