//! What is wrong with a row, or worth a second look, and where in the file it stands.

use xuezhu_domain::text;
use xuezhu_proto::common::Problem;

/// Where a row stands: which table of the file, and its number as the spreadsheet shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// Which table, from 0.
    pub table: usize,
    /// Number of the row.
    pub row: u32,
}

/// Something about a row, before its place in the file is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    column: String,
    value: String,
    /// Stable code.
    pub code: &'static str,
    reason: String,
    proposed: String,
}

impl Fault {
    /// A fault of a column; of the whole row where that is empty. Whatever column it stands in, a number that may be somebody's identity
    /// is shown masked.
    pub fn new(column: &str, value: &str, code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            column: column.to_owned(),
            value: text::told_cell(column, value),
            code,
            reason: text::mask_long_numbers(&reason.into()),
            proposed: String::new(),
        }
    }

    /// The column in which it is; empty of a whole row.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// With what was probably meant.
    #[must_use]
    pub fn proposing(mut self, value: Option<&str>) -> Self {
        value.unwrap_or_default().clone_into(&mut self.proposed);
        self
    }

    /// Where it is.
    pub fn at(&self, sheet: &str, row: u32) -> Problem {
        Problem {
            sheet: sheet.to_owned(),
            row: i32::try_from(row).unwrap_or(i32::MAX),
            column: self.column.clone(),
            value: self.value.clone(),
            code: self.code.to_owned(),
            reason: self.reason.clone(),
            proposed: self.proposed.clone(),
        }
    }
}
