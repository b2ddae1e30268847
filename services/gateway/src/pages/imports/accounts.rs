//! Accounts.

use tonic::Status;
use xuezhu_proto::{
    common::{ImportReport, ImportSummary, Upload},
    enrollment::{
        CommitAccountImportRequest, GetAccountImportRequest, ImportAccountsRequest, ListAccountImportsRequest, TakeBackAccountImportRequest,
        import_accounts_request::Part,
    },
};

use super::target::{Asked, IMPORTS_SHOWN, Named, Target};
use crate::pages::{Desk, session::User};

/// Accounts.
pub(super) struct Accounts;

impl Target for Accounts {
    const WHAT: &'static str = "账号";
    const NEXT: &'static str = "这些账号还没有密码：下一步生成一次性密码，打印后交给本人。";
    const TAKEN_BACK: Option<&'static str> = Some("已发的一次性密码随之作废。登录过的不会动，会逐行列出");

    fn of(_: &Desk, _: &Named) -> Self {
        Self
    }

    fn imports(&self) -> String {
        "/accountImports".to_owned()
    }

    fn records(&self) -> String {
        "/accounts".to_owned()
    }

    fn marked(&self, import: &str) -> String {
        format!("/v1/accountImports/{import}/markedWorkbook")
    }

    fn passwords(&self, import: &str) -> Option<String> {
        Some(format!("/accountImports/{import}/passwords"))
    }

    fn is_of(&self, user: &User) -> bool {
        user.is_admin()
    }

    async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportAccountsRequest { part: Some(part) });
        let answer = desk.directory_files().import_accounts(desk.change(request_id, futures_util::stream::iter(pieces))).await?;
        Ok(answer.into_inner().report.unwrap_or_default())
    }

    async fn report(&self, desk: &Desk, import: &str) -> Result<ImportReport, Status> {
        let asked = GetAccountImportRequest { import_id: import.to_owned() };
        Ok(desk.directory_files().get_account_import(desk.request(asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn commit(&self, desk: &Desk, request_id: &str, import: &str, all_or_nothing: bool) -> Result<ImportReport, Status> {
        let asked = CommitAccountImportRequest { import_id: import.to_owned(), all_or_nothing, wait: Some(false) };
        Ok(desk.directory_files().commit_account_import(desk.change(request_id, asked)).await?.into_inner().report.unwrap_or_default())
    }

    async fn take_back(&self, desk: &Desk, request_id: &str, import: &str) -> Result<(), Status> {
        let asked = TakeBackAccountImportRequest { import_id: import.to_owned() };
        desk.directory_files().take_back_account_import(desk.change(request_id, asked)).await.map(drop)
    }

    async fn list(&self, desk: &Desk, asked: Asked) -> Result<(Vec<ImportSummary>, String), Status> {
        let Asked { query, state, preview, page } = asked;
        let asked = ListAccountImportsRequest { query, state: state.into(), preview, page_size: IMPORTS_SHOWN, page_token: page };
        let answer = desk.directory_files().list_account_imports(desk.request(asked)).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    }
}
