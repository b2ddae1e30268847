//! What a file is for, and the calls that its kind has: one way for each kind.

use tonic::Status;
use xuezhu_proto::{
    aid::{
        CommitAwardImportRequest, GetAwardImportRequest, ImportAwardsRequest, ListAwardImportsRequest, TakeBackAwardImportRequest,
        import_awards_request::Part as AwardPart,
    },
    common::{ImportReport, ImportSummary, Upload, import_report::State},
    enrollment::{
        CommitAccountImportRequest, CommitImportRequest, CommitSchoolImportRequest, GetAccountImportRequest, GetImportRequest, GetSchoolImportRequest,
        ImportAccountsRequest, ImportEnrollmentsRequest, ImportSchoolsRequest, ListAccountImportsRequest, ListImportsRequest, ListSchoolImportsRequest,
        TakeBackAccountImportRequest, TakeBackImportRequest, TakeBackSchoolImportRequest, import_accounts_request::Part as AccountPart,
        import_enrollments_request::Part, import_schools_request::Part as SchoolPart,
    },
};

use super::{ActForm, ArchiveQuery};
use crate::pages::{Desk, session::User};

/// Imports on a page of the archive.
const IMPORTS_SHOWN: i32 = 50;

/// What a file is for.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// Students of a school.
    Students { school: String },
    /// An award list of a school.
    Awards { school: String, list: String },
    /// Schools.
    Schools,
    /// Accounts.
    Accounts,
}

impl Target {
    pub(super) fn students(desk: &Desk) -> Self {
        Self::Students { school: desk.user.org.clone() }
    }

    /// Where its imports are.
    pub(super) fn imports(&self) -> String {
        match self {
            Self::Students { .. } => "/imports".to_owned(),
            Self::Awards { school, list } => format!("/schools/{school}/lists/{list}/imports"),
            Self::Schools => "/schoolImports".to_owned(),
            Self::Accounts => "/accountImports".to_owned(),
        }
    }

    /// Where what it wrote is seen.
    pub(super) fn records(&self) -> String {
        match self {
            Self::Students { .. } => "/students?state=DRAFT".to_owned(),
            Self::Awards { school, list } => format!("/schools/{school}/lists/{list}"),
            Self::Schools => "/schools".to_owned(),
            Self::Accounts => "/accounts".to_owned(),
        }
    }

    /// Where another file is sent.
    pub(super) fn again(&self) -> String {
        if matches!(self, Self::Students { .. }) { "/import".to_owned() } else { format!("{}#send", self.records()) }
    }

    /// Where the marked copy is.
    pub(super) fn marked(&self, import: &str) -> String {
        match self {
            Self::Students { school } => format!("/v1/schools/{school}/imports/{import}/markedWorkbook"),
            Self::Awards { school, list } => format!("/v1/schools/{school}/awardLists/{list}/imports/{import}/markedWorkbook"),
            Self::Schools => format!("/v1/schoolImports/{import}/markedWorkbook"),
            Self::Accounts => format!("/v1/accountImports/{import}/markedWorkbook"),
        }
    }

    /// What a row is of.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Students { .. } => "学生",
            Self::Awards { .. } => "名单",
            Self::Schools => "学校",
            Self::Accounts => "账号",
        }
    }

    /// What is to be done after it was written.
    pub(super) fn next(&self) -> &'static str {
        match self {
            Self::Students { .. } => "下一步在“学生”页提交给校长签核。",
            Self::Awards { .. } => "下一步在“名单”页提交给校长签核。",
            Self::Schools => "下一步为这些学校的人员开账号。",
            Self::Accounts => "这些账号还没有密码：下一步生成一次性密码，打印后交给本人。",
        }
    }

    /// Where one-time passwords are made for those whom an import brought.
    pub(super) fn passwords(&self, import: &str) -> Option<String> {
        matches!(self, Self::Accounts).then(|| format!("/accountImports/{import}/passwords"))
    }

    /// Whether who looks sends such files.
    pub(super) fn is_of(&self, user: &User) -> bool {
        if matches!(self, Self::Schools | Self::Accounts) { user.is_admin() } else { user.is_clerk() }
    }

    /// What becomes of what an import wrote, where that can be taken back.
    pub(super) fn taken_back(&self) -> Option<&'static str> {
        match self {
            Self::Students { .. } | Self::Awards { .. } => Some("更新过的恢复原来的内容。已提交的、之后又改过的不会动，会逐行列出"),
            Self::Accounts => Some("已发的一次性密码随之作废。登录过的不会动，会逐行列出"),
            // They were told to others at once.
            Self::Schools => None,
        }
    }

    pub(super) async fn report(&self, desk: &Desk, import_id: &str) -> Result<ImportReport, Status> {
        let import_id = import_id.to_owned();
        let report = match self.clone() {
            Self::Students { school } => desk.enrollments().get_import(desk.request(GetImportRequest { school, import_id })).await?.into_inner().report,
            Self::Awards { school, list } => {
                desk.awards().get_award_import(desk.request(GetAwardImportRequest { school, list, import_id })).await?.into_inner().report
            }
            Self::Schools => desk.directory_files().get_school_import(desk.request(GetSchoolImportRequest { import_id })).await?.into_inner().report,
            Self::Accounts => desk.directory_files().get_account_import(desk.request(GetAccountImportRequest { import_id })).await?.into_inner().report,
        };
        Ok(report.unwrap_or_default())
    }

    /// Says in a head what the file is for.
    pub(super) fn head(&self, head: Upload) -> Upload {
        match self.clone() {
            Self::Students { school } => Upload { school, ..head },
            Self::Awards { school, list } => Upload { school, list, ..head },
            Self::Schools | Self::Accounts => head,
        }
    }

    pub(super) async fn send(&self, desk: &Desk, request_id: &str, head: Upload, bytes: Vec<u8>) -> Result<ImportReport, Status> {
        let report = match self {
            Self::Awards { .. } => {
                let pieces = [AwardPart::Upload(head), AwardPart::Chunk(bytes)].map(|part| ImportAwardsRequest { part: Some(part) });
                desk.awards().import_awards(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
            Self::Students { .. } => {
                let pieces = [Part::Upload(head), Part::Chunk(bytes)].map(|part| ImportEnrollmentsRequest { part: Some(part) });
                desk.enrollments().import_enrollments(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
            Self::Schools => {
                let pieces = [SchoolPart::Upload(head), SchoolPart::Chunk(bytes)].map(|part| ImportSchoolsRequest { part: Some(part) });
                desk.directory_files().import_schools(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
            Self::Accounts => {
                let pieces = [AccountPart::Upload(head), AccountPart::Chunk(bytes)].map(|part| ImportAccountsRequest { part: Some(part) });
                desk.directory_files().import_accounts(desk.change(request_id, futures_util::stream::iter(pieces))).await?.into_inner().report
            }
        };
        Ok(report.unwrap_or_default())
    }

    pub(super) async fn commit(&self, desk: &Desk, form: &ActForm, import_id: &str) -> Result<ImportReport, Status> {
        let (import_id, all_or_nothing, wait) = (import_id.to_owned(), form.all_or_nothing, Some(false));
        let report = match self.clone() {
            Self::Students { school } => {
                let asked = CommitImportRequest { school, import_id, all_or_nothing, wait };
                desk.enrollments().commit_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
            Self::Awards { school, list } => {
                let asked = CommitAwardImportRequest { school, list, import_id, all_or_nothing, wait };
                desk.awards().commit_award_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
            Self::Schools => {
                let asked = CommitSchoolImportRequest { import_id, all_or_nothing, wait };
                desk.directory_files().commit_school_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
            Self::Accounts => {
                let asked = CommitAccountImportRequest { import_id, all_or_nothing, wait };
                desk.directory_files().commit_account_import(desk.change(&form.request_id, asked)).await?.into_inner().report
            }
        };
        Ok(report.unwrap_or_default())
    }

    pub(super) async fn take_back(&self, desk: &Desk, form: &ActForm, import_id: &str) -> Result<(), Status> {
        let import_id = import_id.to_owned();
        match self.clone() {
            Self::Students { school } => {
                let asked = TakeBackImportRequest { school, import_id };
                desk.enrollments().take_back_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
            Self::Awards { school, list } => {
                let asked = TakeBackAwardImportRequest { school, list, import_id };
                desk.awards().take_back_award_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
            Self::Schools => {
                let asked = TakeBackSchoolImportRequest { import_id };
                desk.directory_files().take_back_school_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
            Self::Accounts => {
                let asked = TakeBackAccountImportRequest { import_id };
                desk.directory_files().take_back_account_import(desk.change(&form.request_id, asked)).await.map(drop)
            }
        }
    }

    pub(super) async fn list(&self, desk: &Desk, query: &ArchiveQuery) -> Result<(Vec<ImportSummary>, String), Status> {
        let state = State::from_str_name(&query.state).unwrap_or_default().into();
        let preview = match query.act.as_str() {
            "preview" => Some(true),
            "write" => Some(false),
            _ => None,
        };
        let (page_size, page_token, query) = (IMPORTS_SHOWN, query.page.clone(), query.query.clone());
        Ok(match self.clone() {
            Self::Students { school } => {
                let asked = ListImportsRequest { school, query, state, preview, page_size, page_token };
                let answer = desk.enrollments().list_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
            Self::Awards { school, list } => {
                let asked = ListAwardImportsRequest { school, list, query, state, preview, page_size, page_token };
                let answer = desk.awards().list_award_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
            Self::Schools => {
                let asked = ListSchoolImportsRequest { query, state, preview, page_size, page_token };
                let answer = desk.directory_files().list_school_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
            Self::Accounts => {
                let asked = ListAccountImportsRequest { query, state, preview, page_size, page_token };
                let answer = desk.directory_files().list_account_imports(desk.request(asked)).await?.into_inner();
                (answer.imports, answer.next_page_token)
            }
        })
    }
}
