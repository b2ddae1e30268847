//! What was handed in is a dossier: links of before lead there.

use std::sync::Arc;

use axum::{Router, extract::Path, response::Redirect, routing::get};

use super::dossiers::Keeper;
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}/submissions/{submission}", get(page))
}

async fn page(Path((_, submission)): Path<(String, String)>) -> Redirect {
    let is_own = submission.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    Redirect::to(&if is_own { Keeper::Enrollment.link(&submission) } else { "/dossiers".to_owned() })
}
