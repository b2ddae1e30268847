//! gRPC in: what enrollment forgot.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{
    self as pb,
    forgotten_record::{self, Compared},
    forgotten_service_server::ForgottenService,
};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, paging, runner::Call};
use xuezhu_store::{StoreError, Tx};

use super::{
    seen,
    store::{self, ForgottenRow},
};
use crate::{Parts, mirror};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;

/// The service of what was forgotten.
#[derive(Clone)]
pub struct ForgottenApi(pub Arc<Parts>);

#[tonic::async_trait]
impl ForgottenService for ForgottenApi {
    async fn list_forgotten_records(&self, request: Request<pb::ListForgottenRecordsRequest>) -> Result<Response<pb::ListForgottenRecordsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListForgottenRecords").await?;
        self.0.runner.read(&ctx, "ListForgottenRecords", &request, |ctx, tx, request| Box::pin(list(ctx, tx, request))).await
    }

    async fn decide_forgotten_record(&self, request: Request<pb::DecideForgottenRecordRequest>) -> Result<Response<pb::DecideForgottenRecordResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "DecideForgottenRecord").await?;
        let call = Call::new("DecideForgottenRecord", request.forgotten.clone(), &request);
        let mut errors = FieldErrors::default();
        let (forgotten, reason) = (errors.id("forgotten", &request.forgotten), errors.text("reason", &request.reason, REASON_CHARACTERS));
        errors.check()?;
        let with = (forgotten.unwrap_or_default(), reason.unwrap_or_default());
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (forgotten, reason)| {
                Box::pin(async move {
                    let row = super::decide(ctx, tx, *forgotten, reason).await?;
                    let generation = mirror::state(tx).await?.generation;
                    Ok(pb::DecideForgottenRecordResponse { record: Some(to_proto(tx, generation, row).await?) })
                })
            })
            .await
    }
}

async fn list(ctx: &Context, tx: &mut Tx, request: &pb::ListForgottenRecordsRequest) -> Result<pb::ListForgottenRecordsResponse, Error> {
    let (own, authority_prefix) = seen(ctx);
    let school = if request.school.is_empty() { own } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadSchool, &Place::Region(&ctx.actor.organisation))?;
    } else {
        mirror::school_for(ctx, tx, &school, Permission::ReadSchool).await?;
    }
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListForgottenRecords", &pb::ListForgottenRecordsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let rows = store::page(tx, &school, &authority_prefix, !request.settled_too, query.after(&request.page_token)?, limit).await?;
    let next_page_token = match rows.last() {
        Some(last) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&last.forgotten),
        _ => String::new(),
    };
    let generation = mirror::state(tx).await?.generation;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        records.push(to_proto(tx, generation, row).await?);
    }
    Ok(pb::ListForgottenRecordsResponse { records, next_page_token })
}

async fn to_proto(tx: &mut Tx, generation: i64, row: ForgottenRow) -> Result<pb::ForgottenRecord, Error> {
    let before: Vec<(String, String)> = serde_json::from_str(&row.facts).map_err(|_| StoreError::Corrupt("facts"))?;
    let now = super::now(tx, generation, &row).await?.map(|told| told.facts).unwrap_or_default();
    let now_of = |what: &str| now.iter().find(|(known, _)| known == what).map(|(_, value)| value.clone()).unwrap_or_default();
    let facts = before.into_iter().map(|(what, before)| Compared { now: now_of(&what), before, what });
    let facts = facts.filter(|fact| !(fact.before.is_empty() && fact.now.is_empty())).collect();
    Ok(pb::ForgottenRecord {
        forgotten: row.forgotten.to_string(),
        kind: match row.kind {
            10 => forgotten_record::Kind::School,
            11 => forgotten_record::Kind::Person,
            12 => forgotten_record::Kind::Enrollment,
            _ => forgotten_record::Kind::Unspecified,
        }
        .into(),
        school: row.school,
        school_name: row.school_name,
        authority: row.authority,
        name: row.name,
        state: forgotten_record::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        facts,
        noticed_date: row.noticed_day.to_string(),
        end_date: row.ended_day.map(|day| day.to_string()).unwrap_or_default(),
        ended_by: row.ended_by_name,
        reason: row.reason,
    })
}
