//! What is taken out: a request, answered with a workbook. Over REST the request is JSON; pages ask the same by their forms.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue},
    response::Response,
    routing::post,
};
use futures_util::StreamExt;
use prost::Message;
use prost_reflect::DynamicMessage;
use tonic::{Extensions, Request, Status, Streaming, metadata::MetadataMap};
use xuezhu_proto::{
    aid::{self, aid_take_out_service_client::AidTakeOutServiceClient},
    common::TakeOut,
    enrollment::{self, enrollment_take_out_service_client::EnrollmentTakeOutServiceClient},
};
use xuezhu_service::{Error, Reason, Refusal, runner::REPLAYED};

use crate::{Gateway, rest, upstream::Upstreams};

/// Header of an answer that names the receipt.
const RECEIPT: &str = "take-out";

/// Paths, with the operation's name and the message that says what is asked, for the routes' document.
pub const PATHS: [(&str, &str, &str); 7] = [
    ("/v1/schools/{school}/enrollments/takeOut", "takeOutEnrollments", "xuezhu.enrollment.v1.TakeOutEnrollmentsRequest"),
    ("/v1/schools/{school}/enrollmentDossiers/takeOut", "takeOutEnrollmentDossiers", "xuezhu.enrollment.v1.TakeOutDossiersRequest"),
    ("/v1/schools/{school}/awardLists/{list}/takeOut", "takeOutEntries", "xuezhu.aid.v1.TakeOutEntriesRequest"),
    ("/v1/schools/{school}/flags/takeOut", "takeOutFlags", "xuezhu.aid.v1.TakeOutFlagsRequest"),
    ("/v1/schools/{school}/aidDossiers/takeOut", "takeOutAidDossiers", "xuezhu.aid.v1.TakeOutDossiersRequest"),
    ("/v1/listNumbers/takeOut", "takeOutListNumbers", "xuezhu.aid.v1.TakeOutListNumbersRequest"),
    ("/v1/termSummaries/{summary}/takeOut", "takeOutSummary", "xuezhu.aid.v1.TakeOutSummaryRequest"),
];

/// A table that somebody asks for.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Students.
    Enrollments(enrollment::TakeOutEnrollmentsRequest),
    /// Dossiers of the enrollment service.
    EnrollmentDossiers(enrollment::TakeOutDossiersRequest),
    /// An award list.
    Entries(aid::TakeOutEntriesRequest),
    /// Flags.
    Flags(aid::TakeOutFlagsRequest),
    /// Dossiers of the aid service.
    AidDossiers(aid::TakeOutDossiersRequest),
    /// Numbers of lists.
    ListNumbers(aid::TakeOutListNumbersRequest),
    /// A summary of a term.
    Summary(aid::TakeOutSummaryRequest),
}

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    let [enrollments, enrollment_dossiers, entries, flags, aid_dossiers, list_numbers, summary] = PATHS.map(|(path, ..)| path);
    Router::new()
        .route(enrollments, post(take_enrollments))
        .route(enrollment_dossiers, post(take_enrollment_dossiers))
        .route(entries, post(take_entries))
        .route(flags, post(take_flags))
        .route(aid_dossiers, post(take_aid_dossiers))
        .route(list_numbers, post(take_list_numbers))
        .route(summary, post(take_summary))
}

async fn take_enrollments(State(gateway): State<Arc<Gateway>>, Path(school): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = said(0, &body).map(|asked| Asked::Enrollments(enrollment::TakeOutEnrollmentsRequest { school, ..asked }));
    answered(&gateway, &headers, asked).await
}

async fn take_list_numbers(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Bytes) -> Response {
    answered(&gateway, &headers, said(5, &body).map(Asked::ListNumbers)).await
}

async fn take_summary(State(gateway): State<Arc<Gateway>>, Path(summary): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = said(6, &body).map(|asked| Asked::Summary(aid::TakeOutSummaryRequest { summary, ..asked }));
    answered(&gateway, &headers, asked).await
}

async fn take_enrollment_dossiers(State(gateway): State<Arc<Gateway>>, Path(school): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = said(1, &body).map(|asked| Asked::EnrollmentDossiers(enrollment::TakeOutDossiersRequest { school, ..asked }));
    answered(&gateway, &headers, asked).await
}

async fn take_entries(State(gateway): State<Arc<Gateway>>, Path((school, list)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = said(2, &body).map(|asked| Asked::Entries(aid::TakeOutEntriesRequest { school, list, ..asked }));
    answered(&gateway, &headers, asked).await
}

async fn take_flags(State(gateway): State<Arc<Gateway>>, Path(school): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = said(3, &body).map(|asked| Asked::Flags(aid::TakeOutFlagsRequest { school, ..asked }));
    answered(&gateway, &headers, asked).await
}

async fn take_aid_dossiers(State(gateway): State<Arc<Gateway>>, Path(school): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = said(4, &body).map(|asked| Asked::AidDossiers(aid::TakeOutDossiersRequest { school, ..asked }));
    answered(&gateway, &headers, asked).await
}

/// What a body of JSON says, by the same descriptors as everything else; one that is not there says nothing.
fn said<T: Message + Default>(at: usize, body: &[u8]) -> Result<T, Status> {
    if body.is_empty() {
        return Ok(T::default());
    }
    let descriptor = xuezhu_proto::POOL.get_message_by_name(PATHS[at].2).expect("the protos define it; a test reads it");
    let mut json = serde_json::Deserializer::from_slice(body);
    let message = DynamicMessage::deserialize(descriptor, &mut json).and_then(|message| json.end().map(|()| message));
    let message = message.map_err(|why| Error::from(Refusal::new(Reason::InvalidArgument, format!("请求的格式有误：{why}"))))?;
    Ok(T::decode(&message.encode_to_vec()[..]).unwrap_or_else(|_| unreachable!("a message of this type was encoded")))
}

async fn answered(gateway: &Gateway, headers: &HeaderMap, asked: Result<Asked, Status>) -> Response {
    let metadata = rest::signed(headers, ()).metadata().clone();
    let given = match asked {
        Ok(asked) => give(&gateway.upstreams, metadata, asked).await,
        Err(status) => Err(status),
    };
    given.unwrap_or_else(|status| rest::error(&status))
}

/// A piece of a workbook as it comes.
enum Piece {
    First(Box<TakeOut>),
    Chunk(Vec<u8>),
}

/// Reads the pieces of a kind's answer.
macro_rules! piece {
    ($service:ident, $answer:ident, $part:ident) => {
        |answer: $service::$answer| match answer.part? {
            $service::$part::Part::TakeOut(told) => Some(Piece::First(Box::new(told))),
            $service::$part::Part::Chunk(chunk) => Some(Piece::Chunk(chunk)),
        }
    };
}

/// Asks for a table in the name of whom the metadata say; the answer is its workbook.
pub async fn give(upstreams: &Upstreams, metadata: MetadataMap, asked: Asked) -> Result<Response, Status> {
    let mut enrollment = EnrollmentTakeOutServiceClient::new(upstreams.enrollment.clone());
    let mut aid = AidTakeOutServiceClient::new(upstreams.aid.clone());
    match asked {
        Asked::Enrollments(asked) => {
            let answer = enrollment.take_out_enrollments(request(metadata, asked)).await?;
            given(answer, "students", piece!(enrollment, TakeOutEnrollmentsResponse, take_out_enrollments_response)).await
        }
        Asked::EnrollmentDossiers(asked) => {
            let answer = enrollment.take_out_dossiers(request(metadata, asked)).await?;
            given(answer, "dossiers", piece!(enrollment, TakeOutDossiersResponse, take_out_dossiers_response)).await
        }
        Asked::Entries(asked) => {
            let answer = aid.take_out_entries(request(metadata, asked)).await?;
            given(answer, "awards", piece!(aid, TakeOutEntriesResponse, take_out_entries_response)).await
        }
        Asked::Flags(asked) => {
            let answer = aid.take_out_flags(request(metadata, asked)).await?;
            given(answer, "flags", piece!(aid, TakeOutFlagsResponse, take_out_flags_response)).await
        }
        Asked::ListNumbers(asked) => {
            let answer = aid.take_out_list_numbers(request(metadata, asked)).await?;
            given(answer, "list-numbers", piece!(aid, TakeOutListNumbersResponse, take_out_list_numbers_response)).await
        }
        Asked::Summary(asked) => {
            let answer = aid.take_out_summary(request(metadata, asked)).await?;
            given(answer, "term-summary", piece!(aid, TakeOutSummaryResponse, take_out_summary_response)).await
        }
        Asked::AidDossiers(asked) => {
            let answer = aid.take_out_dossiers(request(metadata, asked)).await?;
            given(answer, "dossiers", piece!(aid, TakeOutDossiersResponse, take_out_dossiers_response)).await
        }
    }
}

fn request<T>(metadata: MetadataMap, message: T) -> Request<T> {
    Request::from_parts(metadata, Extensions::default(), message)
}

/// The workbook as it comes, once its receipt is there.
async fn given<M: Send + 'static>(answer: tonic::Response<Streaming<M>>, name: &str, piece: fn(M) -> Option<Piece>) -> Result<Response, Status> {
    let replayed = answer.metadata().get(REPLAYED).is_some();
    let mut stream = answer.into_inner();
    let Some(Piece::First(told)) = stream.message().await?.and_then(piece) else {
        return Err(Error::Internal("a workbook without its receipt".into()).into());
    };
    let chunks = stream.map(move |message| {
        message.map(|message| match piece(message) {
            Some(Piece::Chunk(chunk)) => chunk,
            Some(Piece::First(_)) | None => Vec::new(),
        })
    });
    let mut response = rest::workbook(&format!("{name}-{}.xlsx", told.take_out), Body::from_stream(chunks));
    if let Ok(receipt) = HeaderValue::from_str(&told.take_out) {
        response.headers_mut().insert(RECEIPT, receipt);
    }
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_as_every_other_request_is() {
        let asked: aid::TakeOutFlagsRequest = said(3, r#"{"purpose": "上报", "state": "OPEN", "term": null}"#.as_bytes()).expect("is read");
        assert_eq!((asked.purpose.as_str(), asked.state(), asked.term.as_str()), ("上报", aid::flag::State::Open, ""));
        assert_eq!(said::<enrollment::TakeOutDossiersRequest>(1, b"").expect("says nothing"), enrollment::TakeOutDossiersRequest::default());
        for bad in ["{", "{}x", "[]", r#"{"surprise": 1}"#, r#"{"state": "SLEEPING"}"#] {
            assert!(said::<enrollment::TakeOutEnrollmentsRequest>(0, bad.as_bytes()).is_err(), "{bad}");
        }
        for (at, (path, ..)) in PATHS.iter().enumerate() {
            assert!(path.ends_with("/takeOut") && xuezhu_proto::POOL.get_message_by_name(PATHS[at].2).is_some(), "{path}");
        }
    }
}
