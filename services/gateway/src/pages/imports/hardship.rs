//! Levels of hardship of a school.

use tonic::Status;
use xuezhu_proto::{
    aid::{
        CommitHardshipImportRequest, GetHardshipImportRequest, ImportHardshipRequest, ListHardshipImportsRequest, TakeBackHardshipImportRequest,
        import_hardship_request::Part,
    },
    common::{ImportReport, ImportSummary, Upload},
};

use super::target::{Asked, IMPORTS_SHOWN, Named, Target};
use crate::pages::{Desk, session::User};

/// Levels of hardship of a school.
pub(super) struct Levels {
    school: String,
}

impl Target for Levels {
    const WHAT: &'static str = "困难认定";
    const NEXT: &'static str = "下一步在“困难认定”页一起提交给校长签核。";
    const TAKEN_BACK: Option<&'static str> = Some("更新过的恢复原来的内容。已提交的、之后又改过的不会动，会逐行列出");

    fn of(_: &Desk, named: &Named) -> Self {
        Self { school: named.get("school").cloned().unwrap_or_default() }
    }

    fn imports(&self) -> String {
        format!("/schools/{}/hardshipImports", self.school)
    }

    fn records(&self) -> String {
        format!("/schools/{}/hardship", self.school)
    }

    fn marked(&self, import: &str) -> String {
        format!("/v1/schools/{}/hardshipImports/{import}/markedWorkbook", self.school)
    }

    fn is_of(&self, user: &User) -> bool {
        user.is_clerk()
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let head = Upload { school: self.school.clone(), ..head };
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportHardshipRequest { part: Some(part) });
        let answer = desk.hardship().import_hardship(desk.change(request_id, futures_util::stream::iter(pieces))).await?;
        Ok(answer.into_inner().report.unwrap_or_default())
    }

    async fn report(&self, desk: &Desk, import: &str) -> Result<ImportReport, Status> {
        let asked = GetHardshipImportRequest { school: self.school.clone(), import_id: import.to_owned() };
        Ok(desk.hardship().get_hardship_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> Result<ImportReport, Status> {
        let (school, import_id) = (self.school.clone(), import.to_owned());
        let asked = CommitHardshipImportRequest { school, import_id, all_or_nothing, wait: Some(false) };
        Ok(desk.hardship().commit_hardship_import(desk.change(request_id, asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> Result<(), Status> {
        let asked = TakeBackHardshipImportRequest { school: self.school.clone(), import_id: import.to_owned() };
        desk.hardship().take_back_hardship_import(desk.change(request_id, asked)).await.map(drop)
    }

    async fn list(&self, desk: &Desk, asked: Asked) -> Result<(Vec<ImportSummary>, String), Status> {
        let Asked { query, state, preview, page } = asked;
        let school = self.school.clone();
        let asked = ListHardshipImportsRequest { school, query, state: state.into(), preview, page_size: IMPORTS_SHOWN, page_token: page };
        let answer = desk.hardship().list_hardship_imports(desk.request(asked)).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    }
}
