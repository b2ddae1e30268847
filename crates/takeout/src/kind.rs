//! What a kind of table is: what it holds, whose it is, how it is read.

use uuid::Uuid;
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::{Tx, TxFuture};

use crate::permission;

/// A kind, told to whoever takes out a table of it.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// As stored.
    pub code: i32,
    /// As clients name it; stable.
    pub word: &'static str,
    /// In Chinese; names the sheet too.
    pub name: &'static str,
    /// The call, as the audit names it.
    pub call: &'static str,
    /// Its columns by which rows are counted for whoever gets no names.
    pub counted_by: &'static [&'static str],
    /// What is counted, in Chinese.
    pub unit: &'static str,
    /// Whether rows are of people; of numbers alone nothing needs to be counted or warned of.
    pub of_people: bool,
}

/// What a table is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// School, or region.
    pub school: String,
    /// What of the school's, such as an award list.
    pub subject: Option<Uuid>,
    /// What narrows it, in Chinese; empty where nothing does. It stands on receipts, which others read: nobody's name is part of it.
    pub narrowed: String,
    /// Whether it is narrowed by somebody's name: then counts would tell of one.
    pub by_name: bool,
}

/// Columns, and rows with a text for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Headers.
    pub columns: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// What a kind does in a transaction.
pub type Work<'t, T> = TxFuture<'t, T, Error>;

/// A kind of table.
pub trait Kind: Send + Sync {
    /// What it is.
    fn about(&self) -> &'static About;

    /// What the table is of.
    fn of(&self) -> Of;

    /// By what right it is taken out.
    fn permission(&self, ctx: &Context) -> Permission {
        if self.about().of_people { permission(ctx) } else { Permission::ReadMoney }
    }

    /// Name of the school, or of the region; refuses whoever may not do this there.
    fn school<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, permission: Permission) -> Work<'t, String>;

    /// The table as its list tells it to whoever calls, numbers masked: never a telephone, an address, a family or a card. Of what is longer
    /// than `most` rows it is enough to read more than that.
    fn table<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, most: usize) -> Work<'t, Table>;
}
