//! A file that people send (students, award lists): received, read, told row by row, previewed, written as it was previewed, given back
//! marked, kept in an archive, taken back. *A kind gives columns, reads one row and finds whom it means; everything else is the same.*
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`kind`] | what a kind of file gives: columns, how a row is read, what it does to what is there, how it is written and taken back |
//! | [`faults`] | what is wrong with a row, and where |
//! | [`findings`] | everything found in a file, counted: the count is the file's |
//! | [`check`] | rows by themselves, on all cores, before any transaction |
//! | [`write`] | one import in one transaction: compared with what is there, written, receipted |
//! | [`receive`] | the ways in: a file is sent, a preview is written; waited for, or by itself |
//! | [`progress`] | how far an import is |
//! | [`bounds`] | how much one account may send in a day |
//! | [`archive`] | receipts, reports, marked copies; what is forgotten, and when |
//! | [`undo`] | an import is taken back by its receipt |
//!
//! A preview writes nothing; what is written from it is what it said: a row of which that can't be said any more is left out and told.
//! All rows of a file become visible at once: a stop in the middle leaves nothing of it.
//!
//! To add a kind: a struct with what it needs, [`Kind`] for it, its calls in the service's `api.rs`. The tables (`imports`, `import_effects`,
//! `import_turns`) come with the migrations of the service.

pub mod archive;
pub mod bounds;
pub mod check;
pub mod faults;
pub mod findings;
pub mod kind;
pub mod progress;
pub mod receive;
mod store;
pub mod undo;
pub mod write;

use tokio_util::task::TaskTracker;
use xuezhu_service::{Error, Keyring, Runner, serve::Gate};

pub use self::{
    archive::Pieces,
    faults::{Fault, Spot},
    findings::Findings,
    kind::{About, Act, At, Effect, GONE, KEPT, Kind, Of, Options, Placed, Read, Sheet, What, Work},
    receive::Piece,
    store::State,
    write::take_turn,
};

/// Problems that a report lists; more are only counted.
pub const PROBLEMS_LISTED: usize = 5_000;
/// How long a file is kept for its marked copy, and what an import did for taking it back, in microseconds: thirty days.
pub const KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;
/// Rows that are written at once.
pub const ROWS_WRITTEN: usize = 2_000;
/// Characters of a file's name that are kept.
pub const NAME_CHARACTERS: usize = 200;
/// How long whoever runs an import is taken to be there since it last said so, in microseconds: a minute.
pub const ALIVE_US: i64 = 60 * 1_000_000;

/// Takes files in for a service.
#[derive(Debug, Clone)]
pub struct Intake {
    runner: Runner,
    gate: Gate,
    keyring: Keyring,
    running: progress::Running,
    tasks: TaskTracker,
}

impl Intake {
    /// An intake whose long work runs on `tasks`. What ran when the service stopped is lost, and said so: nothing of it was written. Several
    /// processes may share a database of PostgreSQL: what another runs, and says so, is left alone.
    pub async fn start(runner: Runner, gate: Gate, keyring: Keyring, tasks: TaskTracker) -> Result<Self, Error> {
        let before_us = if runner.db().is_sqlite() { i64::MAX } else { runner.clock().now_us() };
        runner.db().write(&before_us, |tx, before_us| Box::pin(async move { Ok::<_, Error>(store::lose_running(tx, *before_us).await?) })).await?;
        Ok(Self { runner, gate, keyring, running: progress::Running::default(), tasks })
    }
}
