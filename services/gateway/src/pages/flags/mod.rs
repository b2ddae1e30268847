//! Flags: grouped by cause and school, explained and decided together ([`list`], [`many`]); one flag with both sides ([`one`]); the rules
//! themselves ([`law`]).

mod advice;
mod law;
mod list;
mod many;
mod one;
mod seen;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use xuezhu_proto::aid::{Flag, flag};

use super::show;
use crate::{
    Gateway,
    parts::{Cell, Tone},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/flags", get(list::page))
        .route("/flags/{flag}", get(one::page).post(one::act))
        .route("/flags/decide", post(many::act))
        .route("/rules", get(law::page))
        .route("/rules/{rule}", get(law::one))
        .route("/flags/takeOut", post(list::take_out))
        .route("/causes/{cause}/explain", post(list::explain_cause))
        .route("/causes/{cause}/decide", post(many::decide_cause))
}

/// A flag's state, as it is shown.
fn mark(flag: &Flag) -> Cell {
    let tone = match flag.state() {
        flag::State::Confirmed => Tone::Bad,
        flag::State::Open | flag::State::Explained => Tone::Wait,
        flag::State::Cleared | flag::State::Closed | flag::State::Unspecified => Tone::Plain,
    };
    let added = flag.added.then(|| Cell::mark(Tone::Wait, "学校有补充说明"));
    Cell::mark(tone, show::state(flag.state().as_str_name())).maybe(added)
}

/// Every rule, in the order in which pages name them.
pub const RULES: [&str; 14] = [
    "NO_ENROLLMENT",
    "NOT_YET_REGISTERED",
    "NOT_VALID_IN_TERM",
    "OTHER_SCHOOL",
    "IDENTITY_MISMATCH",
    "IDENTITY_UNVERIFIED",
    "DUPLICATE_AWARD",
    "MISSING_AWARD",
    "NOT_ELIGIBLE",
    "OVER_RATE",
    "OVER_QUOTA",
    "PAYEE_MISMATCH",
    "HEADCOUNT_DIFFERS",
    "FILE_INCOMPLETE",
];
