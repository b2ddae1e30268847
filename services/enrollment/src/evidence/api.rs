//! gRPC in: files that prove something, in pieces.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xuezhu_evidence::Subject;
use xuezhu_proto::{
    common::EvidenceHead,
    enrollment::{self as pb, add_evidence_request::Part, enrollment_evidence_service_server::EnrollmentEvidenceService},
};
use xuezhu_service::{
    Error, Refusal,
    downloads::{self, Pieces},
    refusal,
    runner::Call,
};

use super::{DOSSIER, door};
use crate::Parts;

/// The service of evidence.
#[derive(Clone)]
pub struct EvidenceApi(pub Arc<Parts>);

/// What a file is to lie with.
fn subject(head: &EvidenceHead) -> Result<Subject, Error> {
    if !head.case.is_empty() {
        return Err(Refusal::field("case", "问题台账由资助系统保管").into());
    }
    Ok(Subject { about: DOSSIER, id: refusal::id("dossier", &head.dossier)? })
}

#[tonic::async_trait]
impl EnrollmentEvidenceService for EvidenceApi {
    type OpenEvidenceStream = Pieces<pb::OpenEvidenceResponse>;

    async fn add_evidence(&self, request: Request<Streaming<pb::AddEvidenceRequest>>) -> Result<Response<pb::AddEvidenceResponse>, Status> {
        let ctx = self.0.gate.context(&request, "AddEvidence").await?;
        let mut pieces = request.into_inner();
        let Some(Part::Head(head)) = pieces.message().await?.and_then(|message| message.part) else {
            return Err(Error::from(Refusal::field("head", "第一段应说明属于哪一业务单、文件名称")).into());
        };
        let subject = subject(&head)?;
        let piece = |message: pb::AddEvidenceRequest| if let Some(Part::Chunk(chunk)) = message.part { Some(chunk) } else { None };
        let added = door(&self.0).take_in(&ctx, self.0.gate.uploads(), (subject, head.name), &mut pieces, piece).await?;
        Ok(added.map(|evidence| pb::AddEvidenceResponse { evidence: Some(evidence) }))
    }

    async fn list_dossier_evidence(&self, request: Request<pb::ListDossierEvidenceRequest>) -> Result<Response<pb::ListDossierEvidenceResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDossierEvidence").await?;
        let subject = Subject { about: DOSSIER, id: refusal::id("dossier", &request.dossier)? };
        let listed = door(&self.0).list(&ctx, "ListDossierEvidence", subject).await?;
        Ok(Response::new(pb::ListDossierEvidenceResponse { evidence: listed.evidence, may_add: listed.may_add, may_open: listed.may_open }))
    }

    async fn open_evidence(&self, request: Request<pb::OpenEvidenceRequest>) -> Result<Response<Self::OpenEvidenceStream>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "OpenEvidence").await?;
        // A file is held whole while it is opened: a few at once, fewer of one account.
        let _turn = self.0.gate.uploads().turn(&ctx.actor.account).await?;
        let (evidence, bytes) = door(&self.0).open(&ctx, &request.evidence, &request.purpose).await?;
        let first = pb::OpenEvidenceResponse { evidence: Some(evidence), chunk: Vec::new() };
        Ok(downloads::pieces(Some(first), &bytes, |chunk| pb::OpenEvidenceResponse { evidence: None, chunk }))
    }

    async fn remove_evidence(&self, request: Request<pb::RemoveEvidenceRequest>) -> Result<Response<pb::RemoveEvidenceResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RemoveEvidence").await?;
        let call = Call::new("RemoveEvidence", request.evidence.clone(), &request);
        let removed = door(&self.0).remove(&ctx, &request.evidence, &request.reason, call).await?;
        Ok(removed.map(|evidence| pb::RemoveEvidenceResponse { evidence: Some(evidence) }))
    }
}
