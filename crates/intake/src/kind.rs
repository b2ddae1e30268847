//! What a kind of file is: what it holds, and what becomes of its rows.

use uuid::Uuid;
use xuezhu_service::{Context, Error};
use xuezhu_store::{Tx, TxFuture};
use xuezhu_workbook::{Column, Row, Table, Template};

use crate::{
    faults::{Fault, Spot},
    findings::Findings,
};

/// A kind, told to whoever handles a file of it.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// As stored.
    pub code: i32,
    /// The call that sends a file, as the audit names it.
    pub import: &'static str,
    /// The call that writes a preview.
    pub commit: &'static str,
    /// The call that reads a report.
    pub report: &'static str,
    /// The call that lists imports.
    pub list: &'static str,
    /// The call that gives the file back marked.
    pub marked: &'static str,
    /// The call that takes an import back.
    pub take_back: &'static str,
}

/// What a file of the kind looks like.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Title of the blank workbook.
    pub title: &'static str,
    /// How to fill it in, a line each.
    pub notes: Vec<String>,
    /// Its columns.
    pub columns: Vec<Column<'static>>,
    /// Headers by which a header row is known.
    pub marks: &'static [&'static str],
    /// Whether a table that was taken out is taken in again: its masked numbers are then the kind's to read.
    pub taken_out: bool,
}

impl Sheet {
    /// As a workbook is written.
    pub fn template(&self) -> Template<'_> {
        Template { title: self.title, notes: &self.notes, columns: &self.columns }
    }
}

/// What an import belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// School; empty where it is of none.
    pub school: String,
    /// What the file is for, such as an award list.
    pub subject: Option<Uuid>,
}

impl Of {
    /// All files of a kind that a school or a department sends, where there is nothing narrower that they are for.
    pub fn all(whose: &str, what: &str) -> Self {
        let mut id = [0; 16];
        blake3::Hasher::new().update(what.as_bytes()).update(b" of ").update(whose.as_bytes()).finalize_xof().fill(&mut id);
        Self { school: whose.to_owned(), subject: Some(Uuid::from_bytes(id)) }
    }
}

/// How a file is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Hidden sheets and rows are taken in too.
    pub include_hidden: bool,
    /// A blank cell clears what is stored.
    pub blank_clears: bool,
}

/// What somebody wants with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// To send one, write it, take it back, or see it whole.
    Enter,
    /// To read what became of it; numbers masked.
    Read,
}

/// What a row says: what can be stored, what is wrong with it, what is worth a second look.
#[derive(Debug)]
pub struct Read<R> {
    /// What can be stored; none where something is wrong.
    pub row: Option<R>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What is worth a second look.
    pub doubts: Vec<Fault>,
}

/// Code of what was not taken back because something hangs on it, or it was changed since.
pub const KEPT: &str = "NOT_TAKEN_BACK";
/// Code of what is gone already.
pub const GONE: &str = "GONE_ALREADY";

/// A row that can be stored, and where it stands.
#[derive(Debug, Clone)]
pub struct At<R> {
    /// Where.
    pub spot: Spot,
    /// What it says.
    pub row: R,
}

/// What a row does to what is there.
#[derive(Debug)]
pub enum What<R> {
    /// It makes a record.
    New {
        /// Under this id.
        item: Uuid,
    },
    /// It changes one.
    Changed {
        /// This one.
        item: Uuid,
        /// Hash of its content now.
        base: Vec<u8>,
        /// What stands there now, to get back: only the kind reads it.
        before: Vec<u8>,
        /// The row with what stays of what is stored, where that is anything.
        row: Option<R>,
    },
    /// It says what is there already.
    Unchanged,
}

/// A row, compared with what is there.
#[derive(Debug)]
pub struct Placed<R> {
    /// Which of the rows that were handed over.
    pub at: usize,
    /// What it does.
    pub what: What<R>,
}

/// What an import did to a record.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The record.
    pub item: Uuid,
    /// Hash of the content that was written.
    pub content: Vec<u8>,
    /// What stood there before; none where it is new.
    pub before: Option<Vec<u8>>,
}

/// What a kind does in a transaction.
pub type Work<'t, T> = TxFuture<'t, T, Error>;

/// A kind of file.
pub trait Kind: Clone + Send + Sync + 'static {
    /// What it is.
    const ABOUT: About;
    /// What its rows are checked against: read before the transaction, and again within it.
    type Rules: Clone + PartialEq + Send + Sync;
    /// Where a table's columns are.
    type Layout: Sync;
    /// A row that can be stored.
    type Row: Clone + Send + Sync;

    /// What a file of it looks like.
    fn sheet() -> Sheet;

    /// What its imports belong to.
    fn of(&self) -> Of;

    /// Whose turn writing waits for: that of its school, unless what is written may be met elsewhere too.
    fn turn(&self) -> String {
        self.of().school
    }

    /// Refuses whoever may not.
    fn may<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, act: Act) -> Work<'t, ()>;

    /// What rows are checked against now.
    fn rules<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx) -> Work<'t, Self::Rules>;

    /// Where the columns of a table are.
    fn layout(&self, table: &Table, options: Options) -> Self::Layout;

    /// Reads a row.
    fn read(&self, rules: &Self::Rules, layout: &Self::Layout, row: &Row) -> Read<Self::Row>;

    /// Hash of what a row says: equal for equal rows.
    fn content(row: &Self::Row) -> [u8; 32];

    /// Says of each row what it does to what is there. What can't be done is told, and left out. What is written for the same school waits, of
    /// this kind; a preview waits for nobody.
    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        rules: &'t Self::Rules,
        rows: &'t [&'t At<Self::Row>],
        options: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Self::Row>>>;

    /// Writes rows: new ones, and ones that change a record.
    fn write<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        rules: &'t Self::Rules,
        new: &'t [(Uuid, &'t Self::Row)],
        changed: &'t [(Uuid, &'t Self::Row)],
    ) -> Work<'t, ()>;

    /// Takes what was written back, and says of what can't be why not ([`GONE`] where nothing is left of it, else [`KEPT`]), with whose record it is.
    fn take_back<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>>;
}
