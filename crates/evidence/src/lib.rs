//! Files that prove something: photographs and scans that lie with a dossier or a case (证据材料). What kind of business that is, this does not
//! know; what is a service's own, its [`Holder`] tells.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`kind`] | what a file is, by its content, and which are not taken |
//! | [`rules`] | pure: how many, states, how long what is kept |
//! | [`vault`] | where sealed files lie: a folder, or a bucket |
//! | `bounds` | how much one account may add in a day |
//! | [`door`] | adding, listing, opening, taking out, for whoever calls |
//! | [`upkeep`] | what lapses, and what no line asks for |
//!
//! A file is sealed as one piece for its line alone, and lies under a keyed hash. The vault and the database can't commit together, so
//! there is an order: it is written down that a file is to come (`evidence_leaving`), the file is put, and the line that asks for it strikes that
//! out, in one transaction with the line. A kill leaves a file that is written down and taken away after a day; a line without its file there
//! never is. What is not written down is never taken away: a vault under a database that was put back loses nothing.
//!
//! To let something take evidence: a number of its own for `about`, and a [`Holder`] that says who may. The tables (`evidence`, `evidence_leaving`)
//! come with the migrations of the service.

mod bounds;
pub mod door;
pub mod kind;
pub mod rules;
mod store;
mod told;
pub mod upkeep;
pub mod vault;

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_service::{Context, Error, keyring::hexadecimal};
use xuezhu_store::{Tx, TxFuture};

pub use self::{
    door::{Door, New},
    rules::Over,
    told::Listed,
    vault::Vault,
};
use self::{rules::State, store::Row};

/// What a holder does in a transaction.
pub type Work<'t, T> = TxFuture<'t, T, Error>;

/// What evidence lies with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Its kind, as its service numbers them: never another's.
    pub about: i32,
    /// Its id.
    pub id: Uuid,
}

/// Who may do what with the evidence of something, and what it means to it: a service's own.
pub trait Holder: Copy + Send + Sync + 'static {
    /// Refuses who may not know of it.
    fn readable<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, ()>;

    /// Refuses who may not see what is in its files.
    fn may_open<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, ()>;

    /// Refuses who may not add to it now. Returns how far it has come: it grows with each decision.
    fn may_add<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, i32>;

    /// The same, and locks it.
    fn enter<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, i32>;

    /// What lies with it is this from now on, by a digest; empty for nothing.
    fn enclose<'t>(self, tx: &'t mut Tx, subject: Subject, digest: &'t str) -> Work<'t, ()>;

    /// Those of some of one kind that are over.
    fn over<'t>(self, tx: &'t mut Tx, about: i32, subjects: &'t [Uuid]) -> Work<'t, HashMap<Uuid, Over>>;
}

/// What is enclosed, as a signature covers it: what the files are, in whichever order.
fn digest(rows: &[Row]) -> String {
    let mut contents: Vec<&[u8]> = rows.iter().filter(|row| row.state == State::Kept).map(|row| &row.content_hash[..]).collect();
    if contents.is_empty() {
        return String::new();
    }
    contents.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for content in contents {
        hasher.update(content);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The digest of one file, as it is shown.
fn shown(content_hash: &[u8]) -> String {
    hexadecimal(&content_hash[..content_hash.len().min(8)])
}
