//! gRPC in: dossiers of every kind.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_proto::{
    aid::{self as pb, aid_dossier_service_server::AidDossierService},
    common::{self as told, dossier, dossier_item},
};
use xuezhu_service::{Context, Error, FieldErrors, Refusal, paging, refusal, runner::Call};

use super::{Asked, Chained, Deed, kinds};
use crate::Parts;

/// Longest reason or remark, in characters.
const REASON_CHARACTERS: usize = 500;
/// Chains that one call may set.
const CHAINS_SET: usize = 500;
/// Items that one call may name.
const ITEMS_NAMED: usize = 20_000;

/// The service of dossiers.
#[derive(Clone)]
pub struct DossierApi(pub Arc<Parts>);

impl DossierApi {
    /// Does something with a dossier, once.
    async fn act(&self, ctx: &Context, call: Call, dossier: &str, deed: Deed) -> Result<Response<told::Dossier>, Status> {
        let with = (self.0.clone(), refusal::id("dossier", dossier)?, deed);
        self.0.runner.mutate(ctx, call, &with, |ctx, tx, (parts, id, deed)| Box::pin(async move { super::act(ctx, tx, parts, *id, deed).await })).await
    }
}

#[tonic::async_trait]
impl AidDossierService for DossierApi {
    async fn list_dossiers(&self, request: Request<pb::ListDossiersRequest>) -> Result<Response<pb::ListDossiersResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDossiers").await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of("ListDossiers", &pb::ListDossiersRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let with = (asked(&request)?, query.after::<Uuid>(&request.page_token)?, limit, query);
        self.0
            .runner
            .read(&ctx, "ListDossiers", &with, |ctx, tx, (asked, before, limit, query)| {
                Box::pin(async move {
                    let dossiers = super::list(ctx, tx, asked, *before, *limit).await?;
                    let last = dossiers.last().filter(|_| i64::try_from(dossiers.len()).unwrap_or(0) == *limit);
                    Ok(pb::ListDossiersResponse {
                        next_page_token: last.map(|last| query.token(&last.dossier)).unwrap_or_default(),
                        dossiers,
                        kinds: super::all_kinds(),
                    })
                })
            })
            .await
    }

    async fn get_dossier(&self, request: Request<pb::GetDossierRequest>) -> Result<Response<pb::GetDossierResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetDossier").await?;
        let id = refusal::id("dossier", &request.dossier)?;
        self.0
            .runner
            .read(&ctx, "GetDossier", &id, |ctx, tx, id| Box::pin(async move { Ok(pb::GetDossierResponse { dossier: Some(super::one(ctx, tx, *id).await?) }) }))
            .await
    }

    async fn list_dossier_items(&self, request: Request<pb::ListDossierItemsRequest>) -> Result<Response<pb::ListDossierItemsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDossierItems").await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of("ListDossierItems", &pb::ListDossierItemsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let state = refusal::known::<dossier_item::State>("state", request.state)?;
        let after = query.after::<i32>(&request.page_token)?.unwrap_or(-1);
        let with = (refusal::id("dossier", &request.dossier)?, state, after, limit, query);
        self.0
            .runner
            .read(&ctx, "ListDossierItems", &with, |ctx, tx, (id, state, after, limit, query)| {
                Box::pin(async move {
                    let items = super::sheet(ctx, tx, *id, *state, *after, *limit).await?;
                    let last = items.last().filter(|_| i64::try_from(items.len()).unwrap_or(0) == *limit);
                    Ok(pb::ListDossierItemsResponse { next_page_token: last.map(|last| query.token(&last.ordinal)).unwrap_or_default(), items })
                })
            })
            .await
    }

    async fn get_inbox(&self, request: Request<pb::GetInboxRequest>) -> Result<Response<pb::GetInboxResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetInbox").await?;
        let query = paging::Query::of("GetInbox", &pb::GetInboxRequest::default());
        let with = (query.after(&request.page_token)?, paging::size(request.page_size)?, query);
        self.0
            .runner
            .read(&ctx, "GetInbox", &with, |ctx, tx, (after, limit, query)| {
                Box::pin(async move {
                    let (inbox, next) = super::waiting(ctx, tx, *after, *limit).await?;
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
        let answer = self.act(&ctx, call, &request.dossier, Deed::TakeOver(request.account.clone())).await?;
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
            .read(&ctx, "ListChains", &(), |ctx, tx, ()| {
                Box::pin(async move {
                    let (chains, kinds) = super::list_chains(ctx, tx).await?;
                    Ok(pb::ListChainsResponse { chains, kinds })
                })
            })
            .await
    }

    async fn set_chain(&self, request: Request<pb::SetChainRequest>) -> Result<Response<pb::SetChainResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SetChain").await?;
        let call = Call::new("SetChain", format!("{} {}", request.kind, request.scope), &request);
        let with = chained(request);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, chained| {
                Box::pin(async move { Ok(pb::SetChainResponse { chain: Some(super::set_chain(ctx, tx, chained).await?) }) })
            })
            .await
    }

    async fn set_chains(&self, request: Request<pb::SetChainsRequest>) -> Result<Response<pb::SetChainsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SetChains").await?;
        let call = Call::new("SetChains", format!("{} chains", request.chains.len()), &request);
        if request.chains.is_empty() || request.chains.len() > CHAINS_SET {
            return Err(Error::from(Refusal::field("chains", format!("一次应为1至{CHAINS_SET}条"))).into());
        }
        let with: Vec<Chained> = request.chains.into_iter().map(chained).collect();
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, chains| {
                Box::pin(async move { Ok(pb::SetChainsResponse { chains: super::set_chains(ctx, tx, chains).await? }) })
            })
            .await
    }
}

fn chained(request: pb::SetChainRequest) -> Chained {
    let pb::SetChainRequest { kind, scope, from_date, steps, reason } = request;
    Chained { kind, scope, from_date, steps, reason }
}

fn asked(request: &pb::ListDossiersRequest) -> Result<Asked, Error> {
    let mut errors = FieldErrors::default();
    let kind = if request.kind.is_empty() { Some(0) } else { kinds::by_word(&request.kind).map(|about| about.code) };
    if kind.is_none() {
        errors.add("kind", "没有这种业务单");
    }
    let item = if request.item.is_empty() { None } else { errors.id("item", &request.item) };
    errors.check()?;
    let state = refusal::known::<dossier::State>("state", request.state)?;
    Ok(Asked { school: request.school.clone(), kind: kind.unwrap_or_default(), state, name: request.name.trim().to_owned(), item })
}

fn said(field: &str, text: &str) -> Result<String, Error> {
    let mut errors = FieldErrors::default();
    let text = errors.text(field, text, REASON_CHARACTERS);
    errors.check()?;
    Ok(text.unwrap_or_default())
}

fn ids(texts: &[String]) -> Result<Vec<Uuid>, Error> {
    if texts.len() > ITEMS_NAMED {
        return Err(Refusal::field("items", format!("一次不能超过{ITEMS_NAMED}条")).into());
    }
    let mut errors = FieldErrors::default();
    let ids = texts.iter().enumerate().filter_map(|(index, text)| errors.id(&format!("items[{index}]"), text)).collect();
    errors.check()?;
    Ok(ids)
}
