//! Files that come and go as workbooks, by kind: sent in, given back marked, given blank.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use tonic::{Status, Streaming};
use xuezhu_proto::{
    aid::{self, award_service_client::AwardServiceClient, group_service_client::GroupServiceClient, hardship_service_client::HardshipServiceClient},
    common::{ImportReport, Upload},
    enrollment::{self, directory_file_service_client::DirectoryFileServiceClient, enrollment_service_client::EnrollmentServiceClient},
};
use xuezhu_service::{runner::REPLAYED, serve::MESSAGE_BYTES};

use super::{Asked, Ends, error, pieces, signed, told, workbook};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/schools/{school}/enrollments/import", post(import_enrollments))
        .route("/v1/schools/{school}/awardLists/{list}/import", post(import_awards))
        .route("/v1/schools/import", post(import_schools))
        .route("/v1/accounts/import", post(import_accounts))
        .route("/v1/specialGroups/import", post(import_groups))
        .route("/v1/schools/{school}/hardship/import", post(import_hardship))
        .route("/v1/schools/{school}/imports/{import}/markedWorkbook", get(marked_enrollments))
        .route("/v1/schools/{school}/awardLists/{list}/imports/{import}/markedWorkbook", get(marked_awards))
        .route("/v1/schoolImports/{import}/markedWorkbook", get(marked_schools))
        .route("/v1/accountImports/{import}/markedWorkbook", get(marked_accounts))
        .route("/v1/groupImports/{import}/markedWorkbook", get(marked_groups))
        .route("/v1/schools/{school}/hardshipImports/{import}/markedWorkbook", get(marked_hardship))
        .route("/v1/enrollmentTemplate", get(enrollment_template))
        .route("/v1/awardTemplate", get(award_template))
        .route("/v1/schoolTemplate", get(school_template))
        .route("/v1/accountTemplate", get(account_template))
        .route("/v1/groupTemplate", get(group_template))
        .route("/v1/hardshipTemplate", get(hardship_template))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "one for each parameter")]
struct ImportQuery {
    preview: bool,
    all_or_nothing: bool,
    include_hidden: bool,
    blank_clears: bool,
    file_name: String,
    wait: Option<bool>,
}

impl ImportQuery {
    fn head(self, school: String, list: String) -> Upload {
        let Self { preview, all_or_nothing, include_hidden, blank_clears, file_name, wait } = self;
        Upload { school, preview, all_or_nothing, list, include_hidden, blank_clears, file_name, wait }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct MarkedQuery {
    faulty_only: bool,
}

/// A body as messages: what it is, then its pieces.
fn sent<M: Send + 'static>(body: Body, head: M, chunk: fn(Vec<u8>) -> M) -> (impl Stream<Item = M> + Send + 'static, Ends) {
    let (pieces, ends) = pieces(body);
    (futures_util::stream::iter([head]).chain(pieces.map(chunk)), ends)
}

fn reported(answer: Result<tonic::Response<Option<ImportReport>>, Status>) -> Response {
    match answer {
        Err(status) => error(&status),
        Ok(answer) => {
            let replayed = answer.metadata().get(REPLAYED).is_some();
            let report = answer.into_inner().unwrap_or_default();
            told("xuezhu.common.v1.ImportReport", &report, replayed)
        }
    }
}

/// A workbook as it comes.
fn given<P: 'static>(name: &str, answer: Result<tonic::Response<Streaming<P>>, Status>, chunk: fn(P) -> Vec<u8>) -> Response {
    match answer {
        Ok(answer) => workbook(name, Body::from_stream(answer.into_inner().map(move |piece| piece.map(chunk)))),
        Err(status) => error(&status),
    }
}

/// What a marked copy is called.
fn copy_of(what: &str, query: &MarkedQuery) -> String {
    format!("{what}-{}.xlsx", if query.faulty_only { "faulty" } else { "marked" })
}

async fn import_enrollments(
    State(gateway): State<Arc<Gateway>>,
    Path(school): Path<String>,
    Asked(query): Asked<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    use enrollment::{ImportEnrollmentsRequest, import_enrollments_request::Part};
    let mut client = EnrollmentServiceClient::new(gateway.upstreams.enrollment.clone()).max_decoding_message_size(MESSAGE_BYTES);
    let head = ImportEnrollmentsRequest { part: Some(Part::Upload(query.head(school, String::new()))) };
    let (stream, ends) = sent(body, head, |chunk| ImportEnrollmentsRequest { part: Some(Part::Chunk(chunk)) });
    let answer = ends.of(client.import_enrollments(signed(&headers, stream))).await;
    reported(answer.map(|answer| answer.map(|answer| answer.report)))
}

async fn import_awards(
    State(gateway): State<Arc<Gateway>>,
    Path((school, list)): Path<(String, String)>,
    Asked(query): Asked<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    use aid::{ImportAwardsRequest, import_awards_request::Part};
    let mut client = AwardServiceClient::new(gateway.upstreams.aid.clone()).max_decoding_message_size(MESSAGE_BYTES);
    let head = ImportAwardsRequest { part: Some(Part::Upload(query.head(school, list))) };
    let (stream, ends) = sent(body, head, |chunk| ImportAwardsRequest { part: Some(Part::Chunk(chunk)) });
    let answer = ends.of(client.import_awards(signed(&headers, stream))).await;
    reported(answer.map(|answer| answer.map(|answer| answer.report)))
}

async fn import_schools(State(gateway): State<Arc<Gateway>>, Asked(query): Asked<ImportQuery>, headers: HeaderMap, body: Body) -> Response {
    use enrollment::{ImportSchoolsRequest, import_schools_request::Part};
    let mut client = DirectoryFileServiceClient::new(gateway.upstreams.enrollment.clone()).max_decoding_message_size(MESSAGE_BYTES);
    let head = ImportSchoolsRequest { part: Some(Part::Upload(query.head(String::new(), String::new()))) };
    let (stream, ends) = sent(body, head, |chunk| ImportSchoolsRequest { part: Some(Part::Chunk(chunk)) });
    let answer = ends.of(client.import_schools(signed(&headers, stream))).await;
    reported(answer.map(|answer| answer.map(|answer| answer.report)))
}

async fn import_accounts(State(gateway): State<Arc<Gateway>>, Asked(query): Asked<ImportQuery>, headers: HeaderMap, body: Body) -> Response {
    use enrollment::{ImportAccountsRequest, import_accounts_request::Part};
    let mut client = DirectoryFileServiceClient::new(gateway.upstreams.enrollment.clone()).max_decoding_message_size(MESSAGE_BYTES);
    let head = ImportAccountsRequest { part: Some(Part::Upload(query.head(String::new(), String::new()))) };
    let (stream, ends) = sent(body, head, |chunk| ImportAccountsRequest { part: Some(Part::Chunk(chunk)) });
    let answer = ends.of(client.import_accounts(signed(&headers, stream))).await;
    reported(answer.map(|answer| answer.map(|answer| answer.report)))
}

async fn import_groups(State(gateway): State<Arc<Gateway>>, Asked(query): Asked<ImportQuery>, headers: HeaderMap, body: Body) -> Response {
    use aid::{ImportGroupsRequest, import_groups_request::Part};
    let mut client = GroupServiceClient::new(gateway.upstreams.aid.clone()).max_decoding_message_size(MESSAGE_BYTES);
    let head = ImportGroupsRequest { part: Some(Part::Upload(query.head(String::new(), String::new()))) };
    let (stream, ends) = sent(body, head, |chunk| ImportGroupsRequest { part: Some(Part::Chunk(chunk)) });
    let answer = ends.of(client.import_groups(signed(&headers, stream))).await;
    reported(answer.map(|answer| answer.map(|answer| answer.report)))
}

async fn import_hardship(
    State(gateway): State<Arc<Gateway>>,
    Path(school): Path<String>,
    Asked(query): Asked<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    use aid::{ImportHardshipRequest, import_hardship_request::Part};
    let mut client = HardshipServiceClient::new(gateway.upstreams.aid.clone()).max_decoding_message_size(MESSAGE_BYTES);
    let head = ImportHardshipRequest { part: Some(Part::Upload(query.head(school, String::new()))) };
    let (stream, ends) = sent(body, head, |chunk| ImportHardshipRequest { part: Some(Part::Chunk(chunk)) });
    let answer = ends.of(client.import_hardship(signed(&headers, stream))).await;
    reported(answer.map(|answer| answer.map(|answer| answer.report)))
}

async fn marked_hardship(
    State(gateway): State<Arc<Gateway>>,
    Path((school, import_id)): Path<(String, String)>,
    Asked(query): Asked<MarkedQuery>,
    headers: HeaderMap,
) -> Response {
    let mut client = HardshipServiceClient::new(gateway.upstreams.aid.clone());
    let asked = aid::DownloadMarkedHardshipRequest { school, import_id, faulty_only: query.faulty_only };
    given(&copy_of("hardship", &query), client.download_marked_hardship(signed(&headers, asked)).await, |piece| piece.chunk)
}

async fn hardship_template(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut client = HardshipServiceClient::new(gateway.upstreams.aid.clone());
    given("hardship.xlsx", client.download_hardship_template(signed(&headers, aid::DownloadHardshipTemplateRequest {})).await, |piece| piece.chunk)
}

async fn marked_groups(State(gateway): State<Arc<Gateway>>, Path(import_id): Path<String>, Asked(query): Asked<MarkedQuery>, headers: HeaderMap) -> Response {
    let mut client = GroupServiceClient::new(gateway.upstreams.aid.clone());
    let asked = aid::DownloadMarkedGroupsRequest { import_id, faulty_only: query.faulty_only };
    given(&copy_of("groups", &query), client.download_marked_groups(signed(&headers, asked)).await, |piece| piece.chunk)
}

async fn group_template(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut client = GroupServiceClient::new(gateway.upstreams.aid.clone());
    given("groups.xlsx", client.download_group_template(signed(&headers, aid::DownloadGroupTemplateRequest {})).await, |piece| piece.chunk)
}

async fn marked_enrollments(
    State(gateway): State<Arc<Gateway>>,
    Path((school, import_id)): Path<(String, String)>,
    Asked(query): Asked<MarkedQuery>,
    headers: HeaderMap,
) -> Response {
    let mut client = EnrollmentServiceClient::new(gateway.upstreams.enrollment.clone());
    let asked = enrollment::DownloadMarkedWorkbookRequest { school, import_id, faulty_only: query.faulty_only };
    given(&copy_of("students", &query), client.download_marked_workbook(signed(&headers, asked)).await, |piece| piece.chunk)
}

async fn marked_awards(
    State(gateway): State<Arc<Gateway>>,
    Path((school, list, import_id)): Path<(String, String, String)>,
    Asked(query): Asked<MarkedQuery>,
    headers: HeaderMap,
) -> Response {
    let mut client = AwardServiceClient::new(gateway.upstreams.aid.clone());
    let asked = aid::DownloadMarkedAwardsRequest { school, list, import_id, faulty_only: query.faulty_only };
    given(&copy_of("awards", &query), client.download_marked_awards(signed(&headers, asked)).await, |piece| piece.chunk)
}

async fn marked_schools(State(gateway): State<Arc<Gateway>>, Path(import_id): Path<String>, Asked(query): Asked<MarkedQuery>, headers: HeaderMap) -> Response {
    let mut client = DirectoryFileServiceClient::new(gateway.upstreams.enrollment.clone());
    let asked = enrollment::DownloadMarkedSchoolsRequest { import_id, faulty_only: query.faulty_only };
    given(&copy_of("schools", &query), client.download_marked_schools(signed(&headers, asked)).await, |piece| piece.chunk)
}

async fn marked_accounts(State(gateway): State<Arc<Gateway>>, Path(import_id): Path<String>, Asked(query): Asked<MarkedQuery>, headers: HeaderMap) -> Response {
    let mut client = DirectoryFileServiceClient::new(gateway.upstreams.enrollment.clone());
    let asked = enrollment::DownloadMarkedAccountsRequest { import_id, faulty_only: query.faulty_only };
    given(&copy_of("accounts", &query), client.download_marked_accounts(signed(&headers, asked)).await, |piece| piece.chunk)
}

async fn enrollment_template(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut client = EnrollmentServiceClient::new(gateway.upstreams.enrollment.clone());
    given("students.xlsx", client.download_template(signed(&headers, enrollment::DownloadTemplateRequest {})).await, |piece| piece.chunk)
}

async fn award_template(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut client = AwardServiceClient::new(gateway.upstreams.aid.clone());
    given("awards.xlsx", client.download_award_template(signed(&headers, aid::DownloadAwardTemplateRequest {})).await, |piece| piece.chunk)
}

async fn school_template(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut client = DirectoryFileServiceClient::new(gateway.upstreams.enrollment.clone());
    given("schools.xlsx", client.download_school_template(signed(&headers, enrollment::DownloadSchoolTemplateRequest {})).await, |piece| piece.chunk)
}

async fn account_template(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut client = DirectoryFileServiceClient::new(gateway.upstreams.enrollment.clone());
    given("accounts.xlsx", client.download_account_template(signed(&headers, enrollment::DownloadAccountTemplateRequest {})).await, |piece| piece.chunk)
}
