//! Lists of special groups.

use tonic::Status;
use xuezhu_proto::{
    aid::{
        CommitGroupImportRequest, GetGroupImportRequest, ImportGroupsRequest, ListGroupImportsRequest, TakeBackGroupImportRequest, import_groups_request::Part,
    },
    common::{ImportReport, ImportSummary, Upload},
};

use super::target::{Asked, IMPORTS_SHOWN, Named, Target};
use crate::pages::{Desk, session::User};

/// Lists of special groups.
pub(super) struct Groups;

impl Target for Groups {
    const WHAT: &'static str = "特殊群体";
    const NEXT: &'static str = "学校的“困难认定”页随即列出要谈话的学生。";
    const TAKEN_BACK: Option<&'static str> = Some("更新过的恢复原来的有效期。之后又更新过的不会动，会逐行列出");

    fn of(_: &Desk, _: &Named) -> Self {
        Self
    }

    fn imports(&self) -> String {
        "/groupImports".to_owned()
    }

    fn records(&self) -> String {
        "/groups".to_owned()
    }

    fn marked(&self, import: &str) -> String {
        format!("/v1/groupImports/{import}/markedWorkbook")
    }

    fn is_of(&self, user: &User) -> bool {
        user.decides_aid()
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportGroupsRequest { part: Some(part) });
        let answer = desk.groups().import_groups(desk.change(request_id, futures_util::stream::iter(pieces))).await?;
        Ok(answer.into_inner().report.unwrap_or_default())
    }

    async fn report(&self, desk: &Desk, import: &str) -> Result<ImportReport, Status> {
        let asked = GetGroupImportRequest { import_id: import.to_owned() };
        Ok(desk.groups().get_group_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> Result<ImportReport, Status> {
        let asked = CommitGroupImportRequest { import_id: import.to_owned(), all_or_nothing, wait: Some(false) };
        Ok(desk.groups().commit_group_import(desk.change(request_id, asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> Result<(), Status> {
        let asked = TakeBackGroupImportRequest { import_id: import.to_owned() };
        desk.groups().take_back_group_import(desk.change(request_id, asked)).await.map(drop)
    }

    async fn list(&self, desk: &Desk, asked: Asked) -> Result<(Vec<ImportSummary>, String), Status> {
        let Asked { query, state, preview, page } = asked;
        let asked = ListGroupImportsRequest { query, state: state.into(), preview, page_size: IMPORTS_SHOWN, page_token: page };
        let answer = desk.groups().list_group_imports(desk.request(asked)).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    }
}
