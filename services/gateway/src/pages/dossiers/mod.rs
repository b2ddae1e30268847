//! 业务单: what goes from desk to desk, whichever service keeps it. A search ([`list`]), and a page for each ([`one`]) with its desks, its
//! history, its sheet as it was signed, and what whoever looks may do ([`acts`]).

mod acts;
mod keeper;
mod list;
mod one;
mod summary;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use tonic::Status;
use xuezhu_proto::common::{Dossier, dossier};

use self::keeper::Asked;
pub use self::{
    keeper::{Keeper, NewChain},
    one::with_fault,
};
use super::{Desk, PageError, show};
use crate::{
    Gateway,
    parts::{Cell, Tone},
};

/// Bytes of a form in which every line of a page may be ticked.
const FORM_BYTES: usize = 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/dossiers", get(list::page).post(list::search))
        .route("/dossiers/takeOut", post(list::take_out))
        .route("/dossiers/{keeper}/{dossier}", get(one::page).post(acts::act))
        .route("/dossiers/{keeper}/{dossier}/print", get(one::print))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// The keeper that a link names.
pub fn kept_by(word: &str) -> Result<Keeper, PageError> {
    Keeper::of(word).ok_or_else(|| PageError::Refused(Status::not_found("没有这个业务单")))
}

/// Dossiers with somebody of this name.
pub async fn of_name(desk: &Desk, keeper: Keeper, name: &str, rows: i32) -> Result<Vec<Dossier>, PageError> {
    Ok(keeper.list(desk, Asked { name: name.to_owned(), ..Asked::default() }, rows).await?.dossiers)
}

/// A dossier's state, as it is shown.
pub fn mark(dossier: &Dossier) -> Cell {
    let word = match dossier.state() {
        dossier::State::UnderWay => show::waits(dossier),
        other => show::dossier_state(other.as_str_name()).to_owned(),
    };
    let tone = match dossier.state() {
        dossier::State::UnderWay if dossier.overdue => Tone::Bad,
        dossier::State::UnderWay => Tone::Wait,
        dossier::State::Done => Tone::Good,
        dossier::State::Returned | dossier::State::Recalled | dossier::State::Unspecified => Tone::Plain,
    };
    Cell::mark(tone, word)
}
