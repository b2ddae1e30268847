//! gRPC in: policies.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_proto::aid::{self as pb, policy_service_server::PolicyService};
use xuezhu_service::{
    paging::{self, Turn},
    refusal,
    runner::Call,
};

use super::Proposed;
use crate::{Parts, trial};

/// The service of policies.
#[derive(Clone)]
pub struct PolicyApi(pub Arc<Parts>);

#[tonic::async_trait]
impl PolicyService for PolicyApi {
    async fn list_policies(&self, request: Request<pb::ListPoliciesRequest>) -> Result<Response<pb::ListPoliciesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListPolicies").await?;
        let query = paging::Query::of("ListPolicies", &pb::ListPoliciesRequest::default());
        let turn = Turn::<Uuid>::of(query, &request.page_token, request.page_number, request.page_size)?;
        self.0
            .runner
            .read(&ctx, "ListPolicies", &(self.0.clone(), turn, query), |ctx, tx, (parts, turn, query)| {
                Box::pin(async move {
                    let (policies, total_size) = super::list(ctx, tx, parts, turn).await?;
                    let next_page_token = turn.next(*query, &policies, |last| last.policy.clone());
                    Ok(pb::ListPoliciesResponse { policies, next_page_token, total_size })
                })
            })
            .await
    }

    async fn get_policy(&self, request: Request<pb::GetPolicyRequest>) -> Result<Response<pb::GetPolicyResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetPolicy").await?;
        let id = refusal::id("policy", &request.policy)?;
        self.0
            .runner
            .read(&ctx, "GetPolicy", &(self.0.clone(), id), |ctx, tx, (parts, id)| {
                Box::pin(async move { Ok(pb::GetPolicyResponse { policy: Some(super::one(ctx, tx, parts, *id).await?) }) })
            })
            .await
    }

    async fn list_schemes(&self, request: Request<pb::ListSchemesRequest>) -> Result<Response<pb::ListSchemesResponse>, Status> {
        let (ctx, _) = self.0.gate.enter(request, "ListSchemes").await?;
        Ok(Response::new(pb::ListSchemesResponse { schemes: super::schemes(&ctx, &self.0) }))
    }

    async fn start_trial(&self, request: Request<pb::StartTrialRequest>) -> Result<Response<pb::StartTrialResponse>, Status> {
        trial::api::start(&self.0, request).await
    }

    async fn get_trial(&self, request: Request<pb::GetTrialRequest>) -> Result<Response<pb::GetTrialResponse>, Status> {
        trial::api::get(&self.0, request).await
    }

    async fn propose_policy(&self, request: Request<pb::ProposePolicyRequest>) -> Result<Response<pb::ProposePolicyResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ProposePolicy").await?;
        let call = Call::new("ProposePolicy", request.from_date.clone(), &request);
        let with = (self.0.clone(), Proposed { content: request.content, from_date: request.from_date, note: request.note });
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, proposed)| {
                Box::pin(async move { Ok(pb::ProposePolicyResponse { policy: Some(super::propose(ctx, tx, parts, proposed).await?) }) })
            })
            .await
    }
}
