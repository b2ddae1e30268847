//! An award list of a school.

use tonic::Status;
use xuezhu_proto::{
    aid::{
        CommitAwardImportRequest, GetAwardImportRequest, ImportAwardsRequest, ListAwardImportsRequest, TakeBackAwardImportRequest, import_awards_request::Part,
    },
    common::{ImportReport, ImportSummary, Upload},
};

use super::target::{Asked, IMPORTS_SHOWN, Named, Target};
use crate::pages::{Desk, session::User};

/// An award list.
pub(super) struct Awards {
    school: String,
    list: String,
}

impl Target for Awards {
    const WHAT: &'static str = "名单";
    const NEXT: &'static str = "下一步在“名单”页提交给校长签核。";
    const TAKEN_BACK: Option<&'static str> = Some("更新过的恢复原来的内容。已提交的、之后又改过的不会动，会逐行列出");

    fn of(_: &Desk, named: &Named) -> Self {
        let of = |name: &str| named.get(name).cloned().unwrap_or_default();
        Self { school: of("school"), list: of("list") }
    }

    fn imports(&self) -> String {
        format!("{}/imports", self.records())
    }

    fn records(&self) -> String {
        format!("/schools/{}/lists/{}", self.school, self.list)
    }

    fn marked(&self, import: &str) -> String {
        format!("/v1/schools/{}/awardLists/{}/imports/{import}/markedWorkbook", self.school, self.list)
    }

    fn is_of(&self, user: &User) -> bool {
        user.is_clerk()
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let head = Upload { school: self.school.clone(), list: self.list.clone(), ..head };
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportAwardsRequest { part: Some(part) });
        let answer = desk.awards().import_awards(desk.change(request_id, futures_util::stream::iter(pieces))).await?;
        Ok(answer.into_inner().report.unwrap_or_default())
    }

    async fn report(&self, desk: &Desk, import: &str) -> Result<ImportReport, Status> {
        let asked = GetAwardImportRequest { school: self.school.clone(), list: self.list.clone(), import_id: import.to_owned() };
        Ok(desk.awards().get_award_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> Result<ImportReport, Status> {
        let (school, list, import_id) = (self.school.clone(), self.list.clone(), import.to_owned());
        let asked = CommitAwardImportRequest { school, list, import_id, all_or_nothing, wait: Some(false) };
        Ok(desk.awards().commit_award_import(desk.change(request_id, asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> Result<(), Status> {
        let asked = TakeBackAwardImportRequest { school: self.school.clone(), list: self.list.clone(), import_id: import.to_owned() };
        desk.awards().take_back_award_import(desk.change(request_id, asked)).await.map(drop)
    }

    async fn list(&self, desk: &Desk, asked: Asked) -> Result<(Vec<ImportSummary>, String), Status> {
        let Asked { query, state, preview, page } = asked;
        let (school, list) = (self.school.clone(), self.list.clone());
        let asked = ListAwardImportsRequest { school, list, query, state: state.into(), preview, page_size: IMPORTS_SHOWN, page_token: page };
        let answer = desk.awards().list_award_imports(desk.request(asked)).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    }
}
