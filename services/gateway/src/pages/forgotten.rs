//! What enrollment forgot: old beside new, and the department's decision.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use xuezhu_proto::aid::{DecideForgottenRecordRequest, ForgottenRecord, ListForgottenRecordsRequest, forgotten_record};

use super::{Desk, PageError, render};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/forgotten", get(page)).route("/forgotten/{forgotten}/decide", post(decide))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    settled: bool,
    page: String,
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct ForgottenPage {
    desk: Desk,
    records: Vec<ForgottenRecord>,
    settled: bool,
    next: String,
    request_id: String,
}

impl ForgottenPage {
    fn kind(record: &ForgottenRecord) -> &'static str {
        match record.kind() {
            forgotten_record::Kind::School => "学校信息",
            forgotten_record::Kind::Person => "身份信息",
            forgotten_record::Kind::Enrollment => "学籍",
            forgotten_record::Kind::Unspecified => "",
        }
    }

    fn state(record: &ForgottenRecord) -> &'static str {
        match record.state() {
            forgotten_record::State::Open => "待处理",
            forgotten_record::State::SaidAgain => "已重新登记",
            forgotten_record::State::Decided => "已核定",
            forgotten_record::State::Unspecified => "",
        }
    }

    fn is_open(record: &ForgottenRecord) -> bool {
        record.state() == forgotten_record::State::Open
    }
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    let asked = ListForgottenRecordsRequest { school: String::new(), settled_too: query.settled, page_size: 50, page_token: query.page };
    let answer = desk.forgotten_records().list_forgotten_records(desk.request(asked)).await?.into_inner();
    let request_id = desk.new_request_id();
    Ok(render(&ForgottenPage { desk, records: answer.records, settled: query.settled, next: answer.next_page_token, request_id }))
}

#[derive(Deserialize)]
struct DecideForm {
    request_id: String,
    reason: String,
}

async fn decide(desk: Desk, Path(forgotten): Path<String>, Form(form): Form<DecideForm>) -> Result<Response, PageError> {
    let asked = DecideForgottenRecordRequest { forgotten: forgotten.clone(), reason: form.reason };
    desk.forgotten_records().decide_forgotten_record(desk.change(&format!("{}-{forgotten}", form.request_id), asked)).await?;
    Ok(Redirect::to("/forgotten").into_response())
}
