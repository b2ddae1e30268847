//! Schools.

use tonic::Status;
use xuezhu_proto::{
    common::{ImportReport, ImportSummary, Upload},
    enrollment::{
        CommitSchoolImportRequest, GetSchoolImportRequest, ImportSchoolsRequest, ListSchoolImportsRequest, TakeBackSchoolImportRequest,
        import_schools_request::Part,
    },
};

use super::target::{Asked, IMPORTS_SHOWN, Named, Target};
use crate::pages::{Desk, session::User};

/// Schools.
pub(super) struct Schools;

impl Target for Schools {
    const WHAT: &'static str = "学校";
    const NEXT: &'static str = "下一步为这些学校的人员开账号。";
    // They were told to others at once.
    const TAKEN_BACK: Option<&'static str> = None;

    fn of(_: &Desk, _: &Named) -> Self {
        Self
    }

    fn imports(&self) -> String {
        "/schoolImports".to_owned()
    }

    fn records(&self) -> String {
        "/schools".to_owned()
    }

    fn marked(&self, import: &str) -> String {
        format!("/v1/schoolImports/{import}/markedWorkbook")
    }

    fn is_of(&self, user: &User) -> bool {
        user.is_admin()
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportSchoolsRequest { part: Some(part) });
        let answer = desk.directory_files().import_schools(desk.change(request_id, futures_util::stream::iter(pieces))).await?;
        Ok(answer.into_inner().report.unwrap_or_default())
    }

    async fn report(&self, desk: &Desk, import: &str) -> Result<ImportReport, Status> {
        let asked = GetSchoolImportRequest { import_id: import.to_owned() };
        Ok(desk.directory_files().get_school_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> Result<ImportReport, Status> {
        let asked = CommitSchoolImportRequest { import_id: import.to_owned(), all_or_nothing, wait: Some(false) };
        Ok(desk.directory_files().commit_school_import(desk.change(request_id, asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> Result<(), Status> {
        let asked = TakeBackSchoolImportRequest { import_id: import.to_owned() };
        desk.directory_files().take_back_school_import(desk.change(request_id, asked)).await.map(drop)
    }

    async fn list(&self, desk: &Desk, asked: Asked) -> Result<(Vec<ImportSummary>, String), Status> {
        let Asked { query, state, preview, page } = asked;
        let asked = ListSchoolImportsRequest { query, state: state.into(), preview, page_size: IMPORTS_SHOWN, page_token: page };
        let answer = desk.directory_files().list_school_imports(desk.request(asked)).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    }
}
