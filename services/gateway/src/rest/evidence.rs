//! Files that prove something, in and out. One is handed out to be saved, under a policy that lets nothing of it run, and never as a page.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use tonic::{Status, Streaming};
use xuezhu_proto::{
    aid::{self, aid_evidence_service_client::AidEvidenceServiceClient},
    common::{Evidence, EvidenceHead, evidence::Kind},
    enrollment::{self, enrollment_evidence_service_client::EnrollmentEvidenceServiceClient},
};
use xuezhu_service::{Error, Reason, Refusal, runner::REPLAYED};

use super::{Asked, error, pieces, signed, told};
use crate::{Gateway, upstream::Line};

/// Bytes of what somebody opens a file for, as JSON.
const PURPOSE_BYTES: usize = 16 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    let opened = Router::new()
        .route("/v1/enrollmentEvidence/{evidence}/open", post(open_of_enrollment))
        .route("/v1/aidEvidence/{evidence}/open", post(open_of_aid))
        .layer(DefaultBodyLimit::max(PURPOSE_BYTES));
    Router::new()
        .route("/v1/enrollmentDossiers/{dossier}/evidence", post(add_to_enrollment_dossier))
        .route("/v1/aidDossiers/{dossier}/evidence", post(add_to_aid_dossier))
        .route("/v1/cases/{case}/evidence", post(add_to_case))
        .merge(opened)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct NameQuery {
    name: String,
}

type Named = Asked<NameQuery>;

async fn add_to_enrollment_dossier(State(gateway): State<Arc<Gateway>>, Path(dossier): Path<String>, named: Named, headers: HeaderMap, body: Body) -> Response {
    use enrollment::{AddEvidenceRequest, add_evidence_request::Part};
    let Asked(NameQuery { name }) = named;
    let head = EvidenceHead { dossier, case: String::new(), name };
    let (pieces, ends) = pieces(body);
    let first = AddEvidenceRequest { part: Some(Part::Head(head)) };
    let sent = stream::iter([first]).chain(pieces.map(|chunk| AddEvidenceRequest { part: Some(Part::Chunk(chunk)) }));
    let answer = ends.of(EnrollmentEvidenceServiceClient::new(gateway.upstreams.enrollment.clone()).add_evidence(signed(&headers, sent))).await;
    added(answer.map(|answer| answer.map(|answer| answer.evidence)))
}

async fn add_to_aid_dossier(State(gateway): State<Arc<Gateway>>, Path(dossier): Path<String>, named: Named, headers: HeaderMap, body: Body) -> Response {
    add_to_aid(&gateway, EvidenceHead { dossier, case: String::new(), name: named.0.name }, &headers, body).await
}

async fn add_to_case(State(gateway): State<Arc<Gateway>>, Path(case): Path<String>, named: Named, headers: HeaderMap, body: Body) -> Response {
    add_to_aid(&gateway, EvidenceHead { dossier: String::new(), case, name: named.0.name }, &headers, body).await
}

async fn add_to_aid(gateway: &Gateway, head: EvidenceHead, headers: &HeaderMap, body: Body) -> Response {
    use aid::{AddEvidenceRequest, add_evidence_request::Part};
    let (pieces, ends) = pieces(body);
    let first = AddEvidenceRequest { part: Some(Part::Head(head)) };
    let sent = stream::iter([first]).chain(pieces.map(|chunk| AddEvidenceRequest { part: Some(Part::Chunk(chunk)) }));
    let answer = ends.of(AidEvidenceServiceClient::new(gateway.upstreams.aid.clone()).add_evidence(signed(headers, sent))).await;
    added(answer.map(|answer| answer.map(|answer| answer.evidence)))
}

fn added(answer: Result<tonic::Response<Option<Evidence>>, Status>) -> Response {
    match answer {
        Err(status) => error(&status),
        Ok(answer) => {
            let replayed = answer.metadata().get(REPLAYED).is_some();
            told("xuezhu.common.v1.Evidence", &answer.into_inner().unwrap_or_default(), replayed)
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Opening {
    purpose: String,
}

type Purpose = Result<Json<Opening>, JsonRejection>;

async fn open_of_enrollment(State(gateway): State<Arc<Gateway>>, Path(evidence): Path<String>, headers: HeaderMap, purpose: Purpose) -> Response {
    match said(purpose) {
        Ok(purpose) => {
            let asked = enrollment::OpenEvidenceRequest { evidence, purpose };
            handed_out(of_enrollment(gateway.upstreams.enrollment.clone(), signed(&headers, asked)).await)
        }
        Err(status) => error(&status),
    }
}

async fn open_of_aid(State(gateway): State<Arc<Gateway>>, Path(evidence): Path<String>, headers: HeaderMap, purpose: Purpose) -> Response {
    match said(purpose) {
        Ok(purpose) => {
            let asked = aid::OpenEvidenceRequest { evidence, purpose };
            handed_out(of_aid(gateway.upstreams.aid.clone(), signed(&headers, asked)).await)
        }
        Err(status) => error(&status),
    }
}

fn said(purpose: Purpose) -> Result<String, Status> {
    let Ok(Json(Opening { purpose })) = purpose else {
        let why = "请求体须为JSON：{\"purpose\": \"用途\"}，并带请求头 Content-Type: application/json";
        return Err(Error::from(Refusal::new(Reason::InvalidArgument, why)).into());
    };
    Ok(purpose)
}

/// A file with its line, as it comes.
pub struct Handed<S> {
    evidence: Evidence,
    pieces: S,
}

/// The pieces of a file.
pub trait Pieces: Stream<Item = Result<Vec<u8>, Status>> + Send + 'static {}

impl<S: Stream<Item = Result<Vec<u8>, Status>> + Send + 'static> Pieces for S {}

/// The line that comes first, and then the pieces.
async fn parted<M: Send + 'static>(mut answer: Streaming<M>, part: fn(M) -> (Option<Evidence>, Vec<u8>)) -> Result<Handed<impl Pieces>, Status> {
    let first = answer.message().await?.and_then(|message| part(message).0);
    let evidence = first.ok_or_else(|| Status::internal("a file came without its line"))?;
    Ok(Handed { evidence, pieces: answer.map(move |piece| piece.map(|piece| part(piece).1)) })
}

/// A file of the enrollment service.
pub async fn of_enrollment(line: Line, asked: tonic::Request<enrollment::OpenEvidenceRequest>) -> Result<Handed<impl Pieces>, Status> {
    let answer = EnrollmentEvidenceServiceClient::new(line).open_evidence(asked).await?.into_inner();
    parted(answer, |piece| (piece.evidence, piece.chunk)).await
}

/// A file of the aid service.
pub async fn of_aid(line: Line, asked: tonic::Request<aid::OpenEvidenceRequest>) -> Result<Handed<impl Pieces>, Status> {
    let answer = AidEvidenceServiceClient::new(line).open_evidence(asked).await?.into_inner();
    parted(answer, |piece| (piece.evidence, piece.chunk)).await
}

fn handed_out<S: Pieces>(handed: Result<Handed<S>, Status>) -> Response {
    match handed {
        Ok(handed) => handed.into_response(),
        Err(status) => error(&status),
    }
}

impl<S: Pieces> IntoResponse for Handed<S> {
    /// To be saved, as what it was found to be when it came; whoever opens it all the same runs nothing of it in our name.
    fn into_response(self) -> Response {
        let Self { evidence, pieces } = self;
        let kind = match evidence.kind() {
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
            Kind::Pdf => "application/pdf",
            Kind::Tiff => "image/tiff",
            Kind::Unspecified => "application/octet-stream",
        };
        let mut response = Body::from_stream(pieces).into_response();
        let told: [(HeaderName, &str); 4] = [
            (header::CONTENT_TYPE, kind),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        for (name, value) in told {
            response.headers_mut().insert(name, HeaderValue::from_str(value).expect("is plain ASCII"));
        }
        let disposition = HeaderValue::from_str(&disposition(&evidence.name)).expect("what is not plain ASCII is written otherwise");
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
        response
    }
}

/// The name that it is saved under (RFC 6266): whole for who can read it, and its ending for who can't.
fn disposition(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending: String = ending.chars().filter(char::is_ascii_alphanumeric).collect();
    let whole: String = name
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("attachment; filename=\"evidence.{ending}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_so_that_it_ends_nothing() {
        assert_eq!(disposition("a b.pdf"), "attachment; filename=\"evidence.pdf\"; filename*=UTF-8''a%20b.pdf");
        assert_eq!(disposition("回.jpg"), "attachment; filename=\"evidence.jpg\"; filename*=UTF-8''%E5%9B%9E.jpg");
        for hostile in ["x\"; filename=\"y.html", "a\r\nSet-Cookie: b", "a.\"html", ""] {
            let told = disposition(hostile);
            assert_eq!(told.matches('"').count(), 2, "{told}");
            assert!(HeaderValue::from_str(&told).is_ok() && !told.contains('\n'), "{told}");
        }
    }
}
