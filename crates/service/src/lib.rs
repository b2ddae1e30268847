//! What every server needs, and nothing of the field's processes.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`settings`] | one table of settings, from file and environment |
//! | [`keyring`] | the keys of a service: hash, seal, sign, and whom it trusts |
//! | [`key_files`] | the files of both services' keys, made together |
//! | [`private`] | files and folders that only their owner may read |
//! | [`proof`] | that a database and the keys belong together |
//! | [`trace`] | one request through all that it passes |
//! | [`audits`] | the audit: sealed, told to the other service, read by auditors |
//! | [`callers`] | from where a call came, and of whom that is believed |
//! | [`token`] | short signed tokens for people, machines and services |
//! | [`clock`] | civil day and system time, both parameters |
//! | [`context`] | who acts, when, under which request: the first parameter of every use case |
//! | [`permission`] | which role may do what, where |
//! | [`refusal`] | why a call was refused, and how that is told |
//! | [`runner`] | the one function that every mutation goes through |
//! | [`paging`] | opaque page tokens |
//! | [`sessions`] | which sessions are over before their tokens are |
//! | [`conversion`] | what stands in a database of before, made into what stands there now |
//! | [`faults`] | work that is tried until it succeeds: waits, one line a fault, counts |
//! | [`forgetting`] | the clock that things are forgotten by, which no step moves far |
//! | [`health`] | whether a service can do its work |
//! | [`serve`] | a gRPC server with health, reflection, metrics and a clean stop |
//! | [`tables`] | tables that change every year, as an operator keeps them |
//! | [`telemetry`] | logs, metrics and the export of spans |
//! | [`downloads`] | files on their way out, in pieces |
//! | [`uploads`] | files on their way in: a few at once, none that stands still |
//!
//! To add a mutation: write its use case on a [`xuezhu_store::Tx`] and hand it to [`runner::Runner::mutate`].

pub mod audits;
mod binding;
pub mod callers;
pub mod clock;
pub mod context;
pub mod conversion;
pub mod downloads;
pub mod faults;
pub mod forgetting;
pub mod health;
pub mod key_files;
pub mod keyring;
pub mod paging;
pub mod permission;
pub mod private;
pub mod proof;
pub mod refusal;
pub mod runner;
pub mod serve;
pub mod sessions;
pub mod settings;
pub mod tables;
pub mod telemetry;
pub mod token;
pub mod trace;
pub mod uploads;

pub use clock::Clock;
pub use context::{Actor, Context, Ids, Role, StandsIn, Teaching};
pub use forgetting::Forgetting;
pub use keyring::Keyring;
pub use permission::{Permission, Place, Reach};
pub use refusal::{Error, FieldErrors, Reason, Refusal};
pub use runner::{Runner, was_answered};
pub use sessions::Sessions;
pub use trace::Trace;
