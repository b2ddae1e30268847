//! 证据材料: files that prove something, as the page of a dossier or of a confirmed case shows them. Opened, they are saved: no page shows
//! what is in them.

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use futures_util::stream;
use serde::Deserialize;
use tonic::{Code, Status};
use xuezhu_proto::{
    aid::{self, aid_evidence_service_client::AidEvidenceServiceClient},
    common::{Evidence, EvidenceHead, evidence},
    enrollment::{self, enrollment_evidence_service_client::EnrollmentEvidenceServiceClient},
};

use super::{Desk, PageError, cases, dossiers, dossiers::Keeper, in_chinese, session, show};
use crate::{Gateway, rest::evidence as handed};

/// Bytes of a form with a file: somewhat more than the 10 MB of a file, so that it is the service that says that one is too large.
const FORM_BYTES: usize = 11 * 1024 * 1024;
/// Bytes of a piece of a file on its way to its service.
const CHUNK_BYTES: usize = 256 * 1024;
/// Said where a form does not come whole.
const TORN: &str = "上传中断，或文件超过10MB：请检查后重新上传";

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/dossiers/{keeper}/{dossier}/evidence", post(add_to_dossier))
        .route("/dossiers/{keeper}/{dossier}/evidence/{evidence}/open", post(open_of_dossier))
        .route("/dossiers/{keeper}/{dossier}/evidence/{evidence}/remove", post(remove_of_dossier))
        .route("/cases/{case}/evidence", post(add_to_case))
        .route("/cases/{case}/evidence/{evidence}/open", post(open_of_case))
        .route("/cases/{case}/evidence/{evidence}/remove", post(remove_of_case))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What files lie with.
#[derive(Debug, Clone)]
pub enum At {
    /// A dossier of a service.
    Dossier(Keeper, String),
    /// A confirmed case.
    Case(String),
}

/// What became of the last act, as the link back says it.
fn done_text(done: &str) -> &'static str {
    match done {
        "added" => "材料已添加。",
        "removed" => "材料已撤下。",
        _ => "",
    }
}

/// The block of a page.
#[derive(Debug)]
pub struct Block {
    at: At,
    /// The files, in the order in which they were added.
    pub rows: Vec<Evidence>,
    /// Whether whoever looks may add.
    pub may_add: bool,
    /// Whether they may open.
    pub may_open: bool,
    /// Why the last act was refused; empty where none was.
    pub error: String,
    /// That the last act was done; empty where none was.
    pub done: &'static str,
    /// For the forms.
    pub request_id: String,
}

impl Block {
    /// What lies there, for whoever looks; with what became of their last act.
    pub async fn of(desk: &Desk, at: At, error: String, done: &str) -> Result<Self, Status> {
        let (rows, may_add, may_open) = at.list(desk).await?;
        Ok(Self { at, rows, may_add, may_open, error, done: done_text(done), request_id: desk.new_request_id() })
    }

    /// The same on paper: nothing can be done there.
    #[must_use]
    pub fn printed(self) -> Self {
        Self { may_add: false, may_open: false, rows: self.rows.into_iter().map(|row| Evidence { removable: false, ..row }).collect(), ..self }
    }

    /// Where its forms go.
    pub fn path(&self) -> String {
        format!("{}/evidence", self.at.page())
    }

    /// Whether a signature covers them.
    pub fn is_signed(&self) -> bool {
        matches!(self.at, At::Dossier(..))
    }

    /// Whether a file can be opened still.
    pub fn is_kept(row: &Evidence) -> bool {
        row.state() == evidence::State::Kept
    }

    /// What it is, in Chinese.
    pub fn kind_of(row: &Evidence) -> &'static str {
        match row.kind() {
            evidence::Kind::Jpeg => "照片（JPEG）",
            evidence::Kind::Png => "图片（PNG）",
            evidence::Kind::Pdf => "PDF",
            evidence::Kind::Tiff => "扫描件（TIFF）",
            evidence::Kind::Unspecified => "",
        }
    }

    /// What became of it; empty where it is there.
    pub fn fate_of(row: &Evidence) -> String {
        match row.state() {
            evidence::State::Removed => format!("{} {}撤下：{}", row.remove_date, row.removed_by, row.remove_reason),
            evidence::State::Lapsed => format!("{} 保存期满，已销毁", row.remove_date),
            evidence::State::Kept | evidence::State::Unspecified => String::new(),
        }
    }

    /// How large it is.
    pub fn size_of(row: &Evidence) -> String {
        const KILO: i64 = 1024;
        match row.bytes {
            bytes if bytes < KILO => format!("{bytes} B"),
            bytes if bytes < KILO * KILO => format!("{} KB", bytes / KILO),
            bytes => format!("{}.{} MB", bytes / KILO / KILO, bytes % (KILO * KILO) * 10 / (KILO * KILO)),
        }
    }

    /// Who added it, in which role, when.
    pub fn added(row: &Evidence) -> String {
        format!("{}（{}） {}", row.added_by, session::role_name(&row.added_role), show::time(&row.add_time))
    }
}

impl At {
    /// The page that they are shown on.
    fn page(&self) -> String {
        match self {
            Self::Dossier(keeper, dossier) => keeper.link(dossier),
            Self::Case(case) => format!("/cases/{case}"),
        }
    }

    fn keeper(&self) -> Keeper {
        match self {
            Self::Dossier(keeper, _) => *keeper,
            Self::Case(_) => Keeper::Aid,
        }
    }

    async fn list(&self, desk: &Desk) -> Result<(Vec<Evidence>, bool, bool), Status> {
        Ok(match self {
            Self::Dossier(Keeper::Enrollment, dossier) => {
                let asked = enrollment::ListDossierEvidenceRequest { dossier: dossier.clone() };
                let answer = of_enrollment(desk).list_dossier_evidence(desk.request(asked)).await?.into_inner();
                (answer.evidence, answer.may_add, answer.may_open)
            }
            Self::Dossier(Keeper::Aid, dossier) => {
                let asked = aid::ListDossierEvidenceRequest { dossier: dossier.clone() };
                let answer = of_aid(desk).list_dossier_evidence(desk.request(asked)).await?.into_inner();
                (answer.evidence, answer.may_add, answer.may_open)
            }
            Self::Case(case) => {
                let answer = of_aid(desk).list_case_evidence(desk.request(aid::ListCaseEvidenceRequest { case: case.clone() })).await?.into_inner();
                (answer.evidence, answer.may_add, answer.may_open)
            }
        })
    }

    async fn add(&self, desk: &Desk, sent: Sent) -> Result<(), Status> {
        let (dossier, case) = match self {
            Self::Dossier(_, dossier) => (dossier.clone(), String::new()),
            Self::Case(case) => (String::new(), case.clone()),
        };
        let head = EvidenceHead { dossier, case, name: sent.name };
        let chunks: Vec<Vec<u8>> = sent.bytes.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect();
        match self.keeper() {
            Keeper::Enrollment => {
                use enrollment::{AddEvidenceRequest, add_evidence_request::Part};
                let parts = [Part::Head(head)].into_iter().chain(chunks.into_iter().map(Part::Chunk));
                let pieces: Vec<_> = parts.map(|part| AddEvidenceRequest { part: Some(part) }).collect();
                of_enrollment(desk).add_evidence(desk.change(&sent.request_id, stream::iter(pieces))).await.map(drop)
            }
            Keeper::Aid => {
                use aid::{AddEvidenceRequest, add_evidence_request::Part};
                let parts = [Part::Head(head)].into_iter().chain(chunks.into_iter().map(Part::Chunk));
                let pieces: Vec<_> = parts.map(|part| AddEvidenceRequest { part: Some(part) }).collect();
                of_aid(desk).add_evidence(desk.change(&sent.request_id, stream::iter(pieces))).await.map(drop)
            }
        }
    }

    async fn open(&self, desk: &Desk, evidence: String, purpose: String) -> Result<Response, Status> {
        Ok(match self.keeper() {
            Keeper::Enrollment => {
                let asked = enrollment::OpenEvidenceRequest { evidence, purpose };
                handed::of_enrollment(desk.enrollment_channel(), desk.request(asked)).await?.into_response()
            }
            Keeper::Aid => handed::of_aid(desk.aid_channel(), desk.request(aid::OpenEvidenceRequest { evidence, purpose })).await?.into_response(),
        })
    }

    async fn remove(&self, desk: &Desk, evidence: String, form: TextForm) -> Result<(), Status> {
        let TextForm { request_id, text: reason } = form;
        match self.keeper() {
            Keeper::Enrollment => {
                let asked = enrollment::RemoveEvidenceRequest { evidence, reason };
                of_enrollment(desk).remove_evidence(desk.change(&request_id, asked)).await.map(drop)
            }
            Keeper::Aid => of_aid(desk).remove_evidence(desk.change(&request_id, aid::RemoveEvidenceRequest { evidence, reason })).await.map(drop),
        }
    }

    /// Back to the page: with what was done, or with why it was not, beside the forms.
    async fn back(self, desk: Desk, acted: Result<(), Status>, done: &str) -> Result<Response, PageError> {
        match acted {
            Ok(()) => Ok(Redirect::to(&format!("{}?evidence={done}#evidence", self.page())).into_response()),
            Err(status) if matches!(status.code(), Code::Unauthenticated | Code::NotFound) => Err(status.into()),
            Err(status) => self.again(desk, in_chinese(status.message())).await,
        }
    }

    async fn again(self, desk: Desk, error: String) -> Result<Response, PageError> {
        match self {
            Self::Dossier(keeper, dossier) => dossiers::with_fault(desk, keeper, dossier, error).await,
            Self::Case(case) => cases::with_fault(desk, case, error).await,
        }
    }
}

fn of_enrollment(desk: &Desk) -> EnrollmentEvidenceServiceClient<tonic::transport::Channel> {
    EnrollmentEvidenceServiceClient::new(desk.enrollment_channel())
}

fn of_aid(desk: &Desk) -> AidEvidenceServiceClient<tonic::transport::Channel> {
    AidEvidenceServiceClient::new(desk.aid_channel())
}

/// A file as its form sends it.
#[derive(Debug, Default)]
struct Sent {
    request_id: String,
    name: String,
    bytes: Vec<u8>,
}

impl Sent {
    async fn of(mut form: Multipart) -> Result<Self, Status> {
        let torn = |_| Status::invalid_argument(TORN);
        let mut sent = Self::default();
        while let Some(field) = form.next_field().await.map_err(torn)? {
            match field.name() {
                Some("request_id") => sent.request_id = field.text().await.map_err(torn)?,
                Some("file") => {
                    field.file_name().unwrap_or_default().clone_into(&mut sent.name);
                    sent.bytes = field.bytes().await.map_err(torn)?.to_vec();
                }
                _ => {}
            }
        }
        Ok(sent)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TextForm {
    request_id: String,
    /// What for, or why.
    text: String,
}

fn dossier(keeper: &str, dossier: String) -> Result<At, PageError> {
    Ok(At::Dossier(dossiers::kept_by(keeper)?, dossier))
}

async fn add(desk: Desk, at: At, form: Multipart) -> Result<Response, PageError> {
    let acted = async {
        let _turn = desk.gateway.turn_of_form().await?;
        at.add(&desk, Sent::of(form).await?).await
    };
    let acted = acted.await;
    at.back(desk, acted, "added").await
}

async fn open(desk: Desk, at: At, evidence: String, form: TextForm) -> Result<Response, PageError> {
    match at.open(&desk, evidence, form.text).await {
        Ok(file) => Ok(file),
        Err(status) => at.back(desk, Err(status), "").await,
    }
}

async fn remove(desk: Desk, at: At, evidence: String, form: TextForm) -> Result<Response, PageError> {
    let acted = at.remove(&desk, evidence, form).await;
    at.back(desk, acted, "removed").await
}

async fn add_to_dossier(desk: Desk, Path((keeper, id)): Path<(String, String)>, form: Multipart) -> Result<Response, PageError> {
    add(desk, dossier(&keeper, id)?, form).await
}

async fn add_to_case(desk: Desk, Path(case): Path<String>, form: Multipart) -> Result<Response, PageError> {
    add(desk, At::Case(case), form).await
}

type OfDossier = Path<(String, String, String)>;

async fn open_of_dossier(desk: Desk, Path((keeper, id, evidence)): OfDossier, Form(form): Form<TextForm>) -> Result<Response, PageError> {
    open(desk, dossier(&keeper, id)?, evidence, form).await
}

async fn open_of_case(desk: Desk, Path((case, evidence)): Path<(String, String)>, Form(form): Form<TextForm>) -> Result<Response, PageError> {
    open(desk, At::Case(case), evidence, form).await
}

async fn remove_of_dossier(desk: Desk, Path((keeper, id, evidence)): OfDossier, Form(form): Form<TextForm>) -> Result<Response, PageError> {
    remove(desk, dossier(&keeper, id)?, evidence, form).await
}

async fn remove_of_case(desk: Desk, Path((case, evidence)): Path<(String, String)>, Form(form): Form<TextForm>) -> Result<Response, PageError> {
    remove(desk, At::Case(case), evidence, form).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_fate_has_its_words() {
        let kinds: Vec<evidence::Kind> = (1..=20).filter_map(|code| evidence::Kind::try_from(code).ok()).collect();
        assert_eq!(kinds.len(), 4);
        for kind in kinds {
            assert!(!Block::kind_of(&Evidence { kind: kind.into(), ..Evidence::default() }).is_empty(), "{kind:?}");
        }
        for (state, told) in [(evidence::State::Kept, ""), (evidence::State::Removed, "撤下"), (evidence::State::Lapsed, "销毁")] {
            assert!(Block::fate_of(&Evidence { state: state.into(), ..Evidence::default() }).contains(told));
        }
        for (bytes, shown) in [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (1_048_575, "1023 KB"), (1_572_864, "1.5 MB"), (10_485_760, "10.0 MB")] {
            assert_eq!(Block::size_of(&Evidence { bytes, ..Evidence::default() }), shown);
        }
    }
}
