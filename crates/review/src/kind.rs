//! What a kind of business is: what its dossiers hold, and what becomes of them.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::{Tx, TxFuture};

use crate::Dossier;

/// A kind, told to whoever reads a dossier.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// As stored.
    pub code: i32,
    /// As clients name it; stable.
    pub word: &'static str,
    /// In Chinese.
    pub name: &'static str,
    /// Heads of the sheet's columns beside the name. No column holds digits of a number: the sheet is kept for ever.
    pub columns: &'static [&'static str],
    /// The chain where no other was set.
    pub chain: &'static str,
    /// The desks that must decide in whatever chain is set, in their order, written as a chain is; empty where it may leave out any.
    pub floor: &'static str,
    /// In what lines are counted, in Chinese.
    pub unit: &'static str,
    /// Whether it goes and comes back as one: single lines do not leave it.
    pub whole: bool,
    /// Whether it is of a school; else it is a department's own, and no desk of a school stands in its chain.
    pub of_school: bool,
    /// The field of requests that names items.
    pub items: &'static str,
    /// By which permission its sheet is read; whoever sits at a desk of it reads it too.
    pub reads: Permission,
}

/// An item as it is submitted.
#[derive(Debug, Clone)]
pub struct Item {
    /// Id.
    pub id: Uuid,
    /// Hash of its content.
    pub content_hash: Vec<u8>,
    /// Name of the student, or of what it is about.
    pub name: String,
    /// Its line of the sheet: a cell for each of [`About::columns`].
    pub line: Vec<String>,
    /// The student's class, by which the sheet is read; empty where it is about none.
    pub class_name: String,
}

/// What a sheet is compared with, class by class: the same class a term before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// What is counted, in Chinese.
    pub with: String,
    /// How many there were, by class.
    pub counts: HashMap<String, i64>,
}

/// What is to be seen of a line besides what was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// In Chinese.
    pub text: String,
    /// The flag that it is.
    pub flag: Option<Uuid>,
    /// Whether it holds the line.
    pub holds: bool,
}

/// An item as it is now.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Present {
    /// Id.
    pub item: Uuid,
    /// Hash of its content.
    pub content_hash: Vec<u8>,
}

/// An item that could not be performed: it stays where it is, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Id.
    pub item: Uuid,
    /// Stable reason.
    pub reason: &'static str,
}

/// What happened to items, told to their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved<'m> {
    /// The desk of a step signed; they wait at the next.
    Signed {
        /// Which step.
        step: usize,
    },
    /// A desk sent them back.
    SentBack {
        /// Why.
        reason: &'m str,
    },
    /// A desk refused them.
    Refused {
        /// Why.
        reason: &'m str,
    },
    /// Their dossier was recalled.
    Recalled,
}

/// What a kind does in a transaction.
pub type Work<'t, T> = TxFuture<'t, T, Error>;

/// A kind of business. A kind proposes, a review decides over desks, the last signature lets the kind perform.
pub trait Kind: Sync {
    /// What it is.
    fn about(&self) -> &'static About;

    /// Those of these items that are there, with their contents as they are now.
    fn present<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>>;

    /// Notes with the kind's own rows where items stand.
    fn moved<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()>;

    /// Does what was asked for, and says which items it can't do it to.
    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>>;

    /// With what a sheet is compared; nothing unless the kind says so.
    fn compared<'t>(&'t self, _: &'t mut Tx, _: &'t Dossier) -> Work<'t, Option<Compared>> {
        Box::pin(async { Ok(None) })
    }

    /// What is to be seen of lines besides what was submitted, by item; nothing unless the kind says so.
    fn marks<'t>(&'t self, _: &'t mut Tx, _: &'t Dossier, _: &'t [Uuid]) -> Work<'t, HashMap<Uuid, Vec<Mark>>> {
        Box::pin(async { Ok(HashMap::new()) })
    }
}
