//! Students of one's school.

use tonic::Status;
use xuezhu_proto::{
    common::{ImportReport, ImportSummary, Upload},
    enrollment::{
        CommitImportRequest, GetImportRequest, ImportEnrollmentsRequest, ListImportsRequest, TakeBackImportRequest, import_enrollments_request::Part,
    },
};

use super::target::{Asked, IMPORTS_SHOWN, Named, Target};
use crate::pages::{Desk, session::User};

/// Students of a school.
pub(super) struct Students {
    school: String,
}

impl Target for Students {
    const WHAT: &'static str = "学生";
    const NEXT: &'static str = "下一步在“学生”页提交给校长签核。";
    const TAKEN_BACK: Option<&'static str> = Some("更新过的恢复原来的内容。已提交的、之后又改过的不会动，会逐行列出");

    fn of(desk: &Desk, _: &Named) -> Self {
        Self { school: desk.user.org.clone() }
    }

    fn imports(&self) -> String {
        "/imports".to_owned()
    }

    fn records(&self) -> String {
        "/students?state=DRAFT".to_owned()
    }

    fn again(&self) -> String {
        "/import".to_owned()
    }

    fn marked(&self, import: &str) -> String {
        format!("/v1/schools/{}/imports/{import}/markedWorkbook", self.school)
    }

    fn is_of(&self, user: &User) -> bool {
        user.is_clerk()
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let head = Upload { school: self.school.clone(), ..head };
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportEnrollmentsRequest { part: Some(part) });
        let answer = desk.enrollments().import_enrollments(desk.change(request_id, futures_util::stream::iter(pieces))).await?;
        Ok(answer.into_inner().report.unwrap_or_default())
    }

    async fn report(&self, desk: &Desk, import: &str) -> Result<ImportReport, Status> {
        let asked = GetImportRequest { school: self.school.clone(), import_id: import.to_owned() };
        Ok(desk.enrollments().get_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> Result<ImportReport, Status> {
        let asked = CommitImportRequest { school: self.school.clone(), import_id: import.to_owned(), all_or_nothing, wait: Some(false) };
        Ok(desk.enrollments().commit_import(desk.change(request_id, asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> Result<(), Status> {
        let asked = TakeBackImportRequest { school: self.school.clone(), import_id: import.to_owned() };
        desk.enrollments().take_back_import(desk.change(request_id, asked)).await.map(drop)
    }

    async fn list(&self, desk: &Desk, asked: Asked) -> Result<(Vec<ImportSummary>, String), Status> {
        let Asked { query, state, preview, page } = asked;
        let school = self.school.clone();
        let asked = ListImportsRequest { school, query, state: state.into(), preview, page_size: IMPORTS_SHOWN, page_token: page };
        let answer = desk.enrollments().list_imports(desk.request(asked)).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    }
}
