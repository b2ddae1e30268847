//! Months that were approved twice before that was refused.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::Query, response::Response, routing::get};
use serde::Deserialize;
use xuezhu_proto::aid::{DoubleUnit, ListDoubleUnitsRequest, award_unit};

use super::{Desk, PageError, render, show};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/double", get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    page: String,
}

#[derive(Template)]
#[template(path = "double.html")]
struct DoublesPage {
    desk: Desk,
    units: Vec<DoubleUnit>,
    next: String,
}

impl DoublesPage {
    /// What a unit covers, in Chinese.
    fn covers(unit: &DoubleUnit) -> String {
        if unit.kind() == award_unit::Kind::Month { show::months(&[unit.first_month]) } else { show::term(&unit.term) }
    }
}

async fn page(desk: Desk, Query(query): Query<PageQuery>) -> Result<Response, PageError> {
    let asked = ListDoubleUnitsRequest { school: String::new(), page_size: 50, page_token: query.page };
    let answer = desk.awards().list_double_units(desk.request(asked)).await?.into_inner();
    Ok(render(&DoublesPage { desk, units: answer.units, next: answer.next_page_token }))
}
