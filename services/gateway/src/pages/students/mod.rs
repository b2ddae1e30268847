//! Students: the list with its search and filters ([`list`]), one enrollment with its lawful acts ([`one`]),
//! everything that is known of a student ([`record`]), one student's story on two lanes
//! ([`story`]).

mod list;
mod one;
mod record;
mod story;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use xuezhu_proto::enrollment::{Enrollment, enrollment};

use super::show;
use crate::{
    Gateway,
    parts::{Cell, Tone},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/students", get(list::page).post(list::search))
        .route("/students/submit", post(list::submit))
        .route("/students/takeOut", post(list::take_out))
        .route("/students/new", get(record::new).post(record::enter))
        .route("/students/{person}", get(story::page))
        .route("/schools/{school}/enrollments/{enrollment}/record", get(record::page).post(record::act))
        .route("/schools/{school}/enrollments/{enrollment}", get(one::page).post(one::act))
}

/// Where one is.
pub fn path(row: &Enrollment) -> String {
    format!("/schools/{}/enrollments/{}", row.school, row.enrollment)
}

/// What a state means.
fn tone(state: enrollment::State) -> Tone {
    use enrollment::State as S;
    match state {
        S::InSchool => Tone::Good,
        S::SentBack => Tone::Bad,
        S::OnLeave | S::Submitted | S::Attested => Tone::Wait,
        S::Unspecified | S::Draft | S::Withdrawn | S::NeverCame => Tone::Plain,
    }
}

/// A state, as it is shown.
pub fn mark(row: &Enrollment) -> Cell {
    Cell::mark(tone(row.state()), show::state(row.state().as_str_name()))
}
