//! gRPC in: lists of omissions.

use std::{collections::BTreeSet, sync::Arc};

use tonic::{Request, Response, Status};
use xuezhu_proto::aid::{self as pb, omission_service_server::OmissionService};
use xuezhu_service::{FieldErrors, refusal, runner::Call};

use super::{
    Said,
    rules::{self, Cause},
};
use crate::Parts;

/// The service of lists of omissions.
#[derive(Clone)]
pub struct OmissionApi(pub Arc<Parts>);

#[tonic::async_trait]
impl OmissionService for OmissionApi {
    async fn draw_up_omissions(&self, request: Request<pb::DrawUpOmissionsRequest>) -> Result<Response<pb::DrawUpOmissionsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "DrawUpOmissions").await?;
        let call = Call::new("DrawUpOmissions", request.school.clone(), &request);
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request), |ctx, tx, (parts, request)| {
                Box::pin(async move {
                    let list = super::draw_up(ctx, tx, parts, &request.school, &request.term).await?;
                    Ok(pb::DrawUpOmissionsResponse { omission_list: Some(list) })
                })
            })
            .await
    }

    async fn set_omission_cause(&self, request: Request<pb::SetOmissionCauseRequest>) -> Result<Response<pb::SetOmissionCauseResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SetOmissionCause").await?;
        let call = Call::new("SetOmissionCause", request.list.clone(), &request);
        let mut errors = FieldErrors::default();
        let list = errors.id("list", &request.list);
        rules::check_count(&mut errors, request.items.len());
        let mut items = BTreeSet::new();
        for (at, item) in request.items.iter().enumerate().take(rules::ITEMS) {
            items.extend(errors.id(&format!("items[{at}]"), item));
        }
        errors.check()?;
        let said = Said {
            school: request.school,
            list: list.unwrap_or_default(),
            items: items.into_iter().collect(),
            cause: Cause::try_from(request.cause).ok(),
            note: request.note,
        };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), said), |ctx, tx, (parts, said)| {
                Box::pin(async move { Ok(pb::SetOmissionCauseResponse { omission_list: Some(super::set_cause(ctx, tx, parts, said).await?) }) })
            })
            .await
    }

    async fn submit_omissions(&self, request: Request<pb::SubmitOmissionsRequest>) -> Result<Response<pb::SubmitOmissionsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SubmitOmissions").await?;
        let call = Call::new("SubmitOmissions", request.list.clone(), &request);
        let with = (self.0.clone(), request.school, refusal::id("list", &request.list)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list)| {
                Box::pin(async move { Ok(pb::SubmitOmissionsResponse { dossier: Some(super::submit(ctx, tx, parts, school, *list).await?) }) })
            })
            .await
    }

    async fn get_omissions(&self, request: Request<pb::GetOmissionsRequest>) -> Result<Response<pb::GetOmissionsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetOmissions").await?;
        self.0
            .runner
            .read(&ctx, "GetOmissions", &(self.0.clone(), request), |ctx, tx, (parts, request)| {
                Box::pin(async move {
                    let list = super::of_school(ctx, tx, parts, &request.school, &request.term).await?;
                    Ok(pb::GetOmissionsResponse { omission_list: Some(list) })
                })
            })
            .await
    }

    async fn list_omission_lists(&self, request: Request<pb::ListOmissionListsRequest>) -> Result<Response<pb::ListOmissionListsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListOmissionLists").await?;
        self.0.runner.read(&ctx, "ListOmissionLists", &request, |ctx, tx, request| Box::pin(super::of_region(ctx, tx, &request.region, &request.term))).await
    }
}
