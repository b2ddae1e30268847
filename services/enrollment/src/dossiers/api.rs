//! gRPC in: dossiers of every kind.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_proto::{
    common::{self as told, dossier_item},
    enrollment::{self as pb, enrollment_dossier_service_server::EnrollmentDossierService},
};
use xuezhu_review::door::{self, Asked, Chained, Deed, Lines, ids, said};
use xuezhu_service::{
    Context,
    paging::{self, Turn},
    refusal,
    runner::Call,
};

use super::Dossiers;
use crate::Parts;

/// The service of dossiers.
#[derive(Clone)]
pub struct DossierApi(pub Arc<Parts>);

impl DossierApi {
    /// Does something with a dossier, once.
    async fn act(&self, ctx: &Context, call: Call, dossier: &str, deed: Deed) -> Result<Response<told::Dossier>, Status> {
        let with = (self.0.clone(), refusal::id("dossier", dossier)?, deed);
        self.0
            .runner
            .mutate(ctx, call, &with, |ctx, tx, (parts, id, deed)| Box::pin(async move { door::act(ctx, tx, &Dossiers(parts), *id, deed).await }))
            .await
    }
}

#[tonic::async_trait]
impl EnrollmentDossierService for DossierApi {
    async fn list_dossiers(&self, request: Request<pb::ListDossiersRequest>) -> Result<Response<pb::ListDossiersResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDossiers").await?;
        let query = paging::Query::of("ListDossiers", &pb::ListDossiersRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let turn = Turn::<Uuid>::of(query, &request.page_token, request.page_number, request.page_size)?;
        let of = (request.school.as_str(), request.kind.as_str(), request.state);
        let asked = Asked::of(&Dossiers(&self.0), of, &request.name, (&request.item, &request.about))?;
        let with = (self.0.clone(), asked, turn, query);
        self.0
            .runner
            .read(&ctx, "ListDossiers", &with, |ctx, tx, (parts, asked, turn, query)| {
                Box::pin(async move {
                    let (dossiers, total_size) = door::list(ctx, tx, &Dossiers(parts), asked, turn).await?;
                    let next_page_token = turn.next(*query, &dossiers, |last| last.dossier.clone());
                    Ok(pb::ListDossiersResponse { next_page_token, dossiers, kinds: door::all_kinds(&Dossiers(parts)), total_size })
                })
            })
            .await
    }

    async fn get_dossier(&self, request: Request<pb::GetDossierRequest>) -> Result<Response<pb::GetDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetDossier").await?;
        let id = refusal::id("dossier", &request.dossier)?;
        self.0
            .runner
            .read(&ctx, "GetDossier", &(self.0.clone(), id), |ctx, tx, (parts, id)| {
                Box::pin(async move { Ok(pb::GetDossierResponse { dossier: Some(door::one(ctx, tx, &Dossiers(parts), *id).await?) }) })
            })
            .await
    }

    async fn list_dossier_items(&self, request: Request<pb::ListDossierItemsRequest>) -> Result<Response<pb::ListDossierItemsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDossierItems").await?;
        let query = paging::Query::of("ListDossierItems", &pb::ListDossierItemsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let turn = Turn::<i32>::of(query, &request.page_token, request.page_number, request.page_size)?;
        let state = refusal::known::<dossier_item::State>("state", request.state)?;
        let with = (self.0.clone(), refusal::id("dossier", &request.dossier)?, Lines { state, class_name: request.class_name }, turn, query);
        self.0
            .runner
            .read(&ctx, "ListDossierItems", &with, |ctx, tx, (parts, id, lines, turn, query)| {
                Box::pin(async move {
                    let (items, total_size) = door::sheet(ctx, tx, &Dossiers(parts), *id, lines, turn).await?;
                    Ok(pb::ListDossierItemsResponse { next_page_token: turn.next(*query, &items, |last| last.ordinal), items, total_size })
                })
            })
            .await
    }

    async fn get_inbox(&self, request: Request<pb::GetInboxRequest>) -> Result<Response<pb::GetInboxResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetInbox").await?;
        let query = paging::Query::of("GetInbox", &pb::GetInboxRequest::default());
        let with = (self.0.clone(), query.after(&request.page_token)?, paging::size(request.page_size)?, query);
        self.0
            .runner
            .read(&ctx, "GetInbox", &with, |ctx, tx, (parts, after, limit, query)| {
                Box::pin(async move {
                    let (inbox, next) = door::waiting(ctx, tx, &Dossiers(parts), *after, *limit).await?;
                    Ok(pb::GetInboxResponse { inbox: Some(inbox), next_page_token: next.map(|next| query.token(&next)).unwrap_or_default() })
                })
            })
            .await
    }

    async fn sign_dossier(&self, request: Request<pb::SignDossierRequest>) -> Result<Response<pb::SignDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SignDossier").await?;
        let call = Call::new("SignDossier", request.dossier.clone(), &request);
        let answer = self.act(&ctx, call, &request.dossier, Deed::Sign(request.digest.clone())).await?;
        Ok(answer.map(|dossier| pb::SignDossierResponse { dossier: Some(dossier) }))
    }

    async fn send_back_dossier(&self, request: Request<pb::SendBackDossierRequest>) -> Result<Response<pb::SendBackDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SendBackDossier").await?;
        let call = Call::new("SendBackDossier", request.dossier.clone(), &request);
        let answer = self.act(&ctx, call, &request.dossier, Deed::SendBack(said("reason", &request.reason)?, ids(&request.items)?)).await?;
        Ok(answer.map(|dossier| pb::SendBackDossierResponse { dossier: Some(dossier) }))
    }

    async fn refuse_dossier(&self, request: Request<pb::RefuseDossierRequest>) -> Result<Response<pb::RefuseDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RefuseDossier").await?;
        let call = Call::new("RefuseDossier", request.dossier.clone(), &request);
        let answer = self.act(&ctx, call, &request.dossier, Deed::Refuse(said("reason", &request.reason)?, ids(&request.items)?)).await?;
        Ok(answer.map(|dossier| pb::RefuseDossierResponse { dossier: Some(dossier) }))
    }

    async fn recall_dossier(&self, request: Request<pb::RecallDossierRequest>) -> Result<Response<pb::RecallDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RecallDossier").await?;
        let call = Call::new("RecallDossier", request.dossier.clone(), &request);
        let answer = self.act(&ctx, call, &request.dossier, Deed::Recall(said("reason", &request.reason)?)).await?;
        Ok(answer.map(|dossier| pb::RecallDossierResponse { dossier: Some(dossier) }))
    }

    async fn note_dossier(&self, request: Request<pb::NoteDossierRequest>) -> Result<Response<pb::NoteDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "NoteDossier").await?;
        let call = Call::new("NoteDossier", request.dossier.clone(), &request);
        let remark = if request.remark.trim().is_empty() { String::new() } else { said("remark", &request.remark)? };
        let answer = self.act(&ctx, call, &request.dossier, Deed::Note(remark)).await?;
        Ok(answer.map(|dossier| pb::NoteDossierResponse { dossier: Some(dossier) }))
    }

    async fn hand_over_dossier(&self, request: Request<pb::HandOverDossierRequest>) -> Result<Response<pb::HandOverDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "HandOverDossier").await?;
        let call = Call::new("HandOverDossier", request.dossier.clone(), &request);
        let answer = self.act(&ctx, call, &request.dossier, Deed::HandOver(request.account.clone())).await?;
        Ok(answer.map(|dossier| pb::HandOverDossierResponse { dossier: Some(dossier) }))
    }

    async fn nudge_dossier(&self, request: Request<pb::NudgeDossierRequest>) -> Result<Response<pb::NudgeDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "NudgeDossier").await?;
        let call = Call::new("NudgeDossier", request.dossier.clone(), &request);
        let answer = self.act(&ctx, call, &request.dossier, Deed::Nudge).await?;
        Ok(answer.map(|dossier| pb::NudgeDossierResponse { dossier: Some(dossier) }))
    }

    async fn list_chains(&self, request: Request<pb::ListChainsRequest>) -> Result<Response<pb::ListChainsResponse>, Status> {
        let (ctx, _) = self.0.gate.enter(request, "ListChains").await?;
        self.0
            .runner
            .read(&ctx, "ListChains", &self.0, |ctx, tx, parts| {
                Box::pin(async move {
                    let (chains, kinds) = door::list_chains(ctx, tx, &Dossiers(parts)).await?;
                    Ok(pb::ListChainsResponse { chains, kinds })
                })
            })
            .await
    }

    async fn set_chain(&self, request: Request<pb::SetChainRequest>) -> Result<Response<pb::SetChainResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SetChain").await?;
        let call = Call::new("SetChain", format!("{} {}", request.kind, request.scope), &request);
        let with = (self.0.clone(), chained(request));
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, chained)| {
                Box::pin(async move { Ok(pb::SetChainResponse { chain: Some(door::set_chain(ctx, tx, &Dossiers(parts), chained).await?) }) })
            })
            .await
    }

    async fn set_chains(&self, request: Request<pb::SetChainsRequest>) -> Result<Response<pb::SetChainsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SetChains").await?;
        let call = Call::new("SetChains", format!("{} chains", request.chains.len()), &request);
        let with = (self.0.clone(), request.chains.into_iter().map(chained).collect::<Vec<Chained>>());
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, chains)| {
                Box::pin(async move { Ok(pb::SetChainsResponse { chains: door::set_chains(ctx, tx, &Dossiers(parts), chains).await? }) })
            })
            .await
    }
}

fn chained(request: pb::SetChainRequest) -> Chained {
    let pb::SetChainRequest { kind, scope, from_date, steps, reason } = request;
    Chained { kind, scope, from_date, steps, reason }
}
