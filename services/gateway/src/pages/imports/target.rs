//! What a file is for: the words and the calls that its kind has. A kind of file is one more of these.

use std::collections::HashMap;

use tonic::Status;
use xuezhu_proto::common::{ImportReport, ImportSummary, Upload, import_report::State};

use crate::pages::{Desk, session::User};

/// Imports on a page of the archive.
pub(super) const IMPORTS_SHOWN: i32 = 50;

/// What a path names.
pub(super) type Named = HashMap<String, String>;

/// Asks for imports.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Part of the file's name.
    pub(super) query: String,
    /// Where they stand.
    pub(super) state: State,
    /// Previews alone, or what was written alone.
    pub(super) preview: Option<bool>,
    /// Where the page begins.
    pub(super) page: String,
}

/// What a file is for.
pub(super) trait Target: Sized + Send + Sync + 'static {
    /// What a row is of.
    const WHAT: &'static str;
    /// What is to be done after it was written.
    const NEXT: &'static str;
    /// What becomes of what an import wrote, where that can be taken back.
    const TAKEN_BACK: Option<&'static str>;

    /// Of who looks, at what the path names.
    fn of(desk: &Desk, named: &Named) -> Self;

    /// Where its imports are.
    fn imports(&self) -> String;

    /// Where what it wrote is seen.
    fn records(&self) -> String;

    /// Where another file is sent.
    fn again(&self) -> String {
        format!("{}#send", self.records())
    }

    /// Where the marked copy is.
    fn marked(&self, import: &str) -> String;

    /// Where one-time passwords are made for those whom an import brought.
    fn passwords(&self, _import: &str) -> Option<String> {
        None
    }

    /// Whether who looks sends such files.
    fn is_of(&self, user: &User) -> bool;

    /// Sends a file for a preview.
    fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> impl Future<Output = Result<ImportReport, Status>> + Send;

    /// How far an import has come, and what it says.
    fn report(&self, desk: &Desk, import: &str) -> impl Future<Output = Result<ImportReport, Status>> + Send;

    /// Begins to write what was previewed: another import, of which this is the report.
    fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> impl Future<Output = Result<ImportReport, Status>> + Send;

    /// Takes back what an import wrote.
    fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> impl Future<Output = Result<(), Status>> + Send;

    /// Imports, newest first, and where the next page begins.
    fn list(&self, desk: &Desk, asked: Asked) -> impl Future<Output = Result<(Vec<ImportSummary>, String), Status>> + Send;
}
