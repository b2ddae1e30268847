//! Award lists: the overview ([`index`]), one list with its way to approval ([`one`]) and one entry of it ([`entry`]), who is eligible and why
//! ([`candidates`]), what is put right of what was approved ([`corrections`]).

mod acts;
mod candidates;
mod corrections;
mod entry;
mod index;
mod one;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use xuezhu_proto::aid::{AwardList, award_entry, award_list};

pub use self::{index::past_terms, one::refused};
use super::{session::User, show};
use crate::{
    Gateway,
    parts::{Cell, Tone},
};

/// Bytes of a form in which every student of a page may be ticked.
const FORM_BYTES: usize = 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/lists", get(index::page).post(index::create))
        .route("/schools/{school}/lists/{list}", get(one::page).post(acts::act))
        .route("/schools/{school}/lists/{list}/candidates", get(candidates::page).post(candidates::propose))
        .route("/schools/{school}/lists/{list}/entries/{entry}", get(entry::page).post(entry::save))
        .route("/schools/{school}/lists/{list}/reopen", post(acts::reopen))
        .route("/schools/{school}/lists/{list}/takeOut", post(one::take_out))
        .route("/schools/{school}/lists/{list}/correction", post(corrections::correct))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// Whether something of a list waits at the department of whoever looks.
pub fn decides(user: &User, list: &AwardList) -> bool {
    list.waiting_authorities.iter().any(|authority| user.decides_aid_for(authority))
}

/// Where one is.
pub fn path(list: &AwardList) -> String {
    format!("/schools/{}/lists/{}", list.school, list.list)
}

/// What a list is: of which term and scheme, the how manieth.
fn title(list: &AwardList) -> String {
    let supplement = if list.supplement > 0 { format!("（补充名单{}）", list.supplement) } else { String::new() };
    format!("{} {}{supplement}", show::term(&list.term), &list.scheme_name)
}

/// A list's state, as it is shown; a list whose entries all wait for the clerk is a draft.
fn mark(list: &AwardList) -> Cell {
    use award_list::State as S;
    let tone = match list.state() {
        S::Approved => Tone::Good,
        S::Submitted | S::Attested => Tone::Wait,
        S::Draft | S::Unspecified => Tone::Plain,
    };
    Cell::mark(tone, show::state(list.state().as_str_name()))
}

/// An entry's state, as it is shown.
pub(super) fn mark_of(state: award_entry::State) -> Cell {
    use award_entry::State as S;
    let tone = match state {
        S::Approved => Tone::Good,
        S::SentBack => Tone::Bad,
        S::Submitted | S::Attested => Tone::Wait,
        S::Draft | S::Unspecified => Tone::Plain,
    };
    Cell::mark(tone, show::state(state.as_str_name()))
}
