//! 证据材料: files that prove something, as the page of a dossier or of a confirmed case shows them. Opened, they are saved: no page shows
//! what is in them.

use std::sync::Arc;

use axum::{
    Form as Filled, Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    response::{IntoResponse, Response},
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
use xuezhu_service::downloads::CHUNK_BYTES;

use super::{Desk, PageError, cases, dossiers, dossiers::Keeper, in_chinese, session, show};
use crate::{
    Gateway,
    parts::{Cell, Field, Form, Note, Row, Table, Tone},
    rest::evidence as handed,
};

/// Bytes of a form with a file: somewhat more than the 10 MB of a file, so that it is the service that says that one is too large.
const FORM_BYTES: usize = 11 * 1024 * 1024;
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

/// The block of a page.
#[derive(Debug)]
pub struct Block {
    /// Why a file that was sent just now was not taken.
    pub wrong: Option<Note>,
    /// The files, in the order in which they were added, with what whoever looks may do.
    pub table: Table,
    /// The same on paper: nothing can be done there.
    paper: Table,
    /// What can be added, where whoever looks may.
    pub add: Option<Form>,
    /// Whether whoever looks may open.
    pub may_open: bool,
    /// Whether a signature covers them.
    pub is_signed: bool,
}

impl Block {
    /// What lies there, for whoever looks; with why a file that they sent just now was not taken.
    pub async fn of(desk: &Desk, at: At, wrong: String) -> Result<Self, Status> {
        let (rows, may_add, may_open) = at.list(desk).await?;
        let path = format!("{}/evidence", at.page());
        let table = || Table::of("证据材料").columns(["名称", "类型"]).number("大小").column("添加").empty("还没有材料。");
        Ok(Self {
            wrong: Note::wrong(&wrong),
            table: table().acts().rows(rows.iter().map(|row| cells(row).and_if(true, || acts(desk, &path, may_open, row)))),
            paper: table().rows(rows.iter().map(cells)),
            add: may_add.then(|| adding(desk, &path)),
            may_open: may_open && !rows.is_empty(),
            is_signed: matches!(at, At::Dossier(..)),
        })
    }

    /// The same on paper: nothing can be done there.
    #[must_use]
    pub fn printed(self) -> Self {
        Self { table: self.paper.clone(), add: None, may_open: false, wrong: None, ..self }
    }
}

fn adding(desk: &Desk, path: &str) -> Form {
    let file = Field::file("file", ".jpg,.jpeg,.png,.tif,.tiff,.pdf").called("添加材料").hint("JPEG、PNG、TIFF图片或PDF，每份不超过10MB，最多30份").wide();
    Form::of::<aid::AddEvidenceRequest>(desk, "add-evidence", format!("{path}#evidence")).with(file).button("上传")
}

fn cells(row: &Evidence) -> Row {
    let name = if is_kept(row) { Cell::from(&row.name) } else { Cell::mark(Tone::Plain, state_of(row)).and(Cell::text(fate_of(row))) };
    let added = format!("{}（{}） {}", row.added_by, session::role_name(&row.added_role), show::time(&row.add_time));
    let size = Cell::text(size_of(row));
    Row::of([name.beside(format!("摘要 {}", row.digest)), Cell::text(kind_of(row)), size, Cell::from(added)])
}

/// What whoever looks may do with a file: open it for a purpose, take it away with a reason.
fn acts(desk: &Desk, path: &str, may_open: bool, row: &Evidence) -> Cell {
    let id = &row.evidence;
    let open = (may_open && is_kept(row)).then(|| {
        let purpose = Field::line("text").known_as("purpose").called(format!("打开{}的用途", row.name)).required().limit(200).hint("如：核对退款");
        Cell::act(Form::of::<aid::OpenEvidenceRequest>(desk, format!("open-{id}"), format!("{path}/{id}/open")).with(purpose).button("下载").folded("下载"))
    });
    let remove = row.removable.then(|| {
        let reason = Field::line("text").known_as("reason").called(format!("撤下{}的原因", row.name)).required().limit(200);
        let form = Form::of::<aid::RemoveEvidenceRequest>(desk, format!("remove-{id}"), format!("{path}/{id}/remove"));
        Cell::act(form.with(reason).danger("撤下", "").folded("撤下"))
    });
    Cell::default().maybe(open).maybe(remove)
}

/// Whether a file can be opened still.
fn is_kept(row: &Evidence) -> bool {
    row.state() == evidence::State::Kept
}

/// What it is, in Chinese.
fn kind_of(row: &Evidence) -> &'static str {
    match row.kind() {
        evidence::Kind::Jpeg => "照片（JPEG）",
        evidence::Kind::Png => "图片（PNG）",
        evidence::Kind::Pdf => "PDF",
        evidence::Kind::Tiff => "扫描件（TIFF）",
        evidence::Kind::Unspecified => "",
    }
}

/// Why it is there no more; empty where it is.
fn state_of(row: &Evidence) -> &'static str {
    match row.state() {
        evidence::State::Removed => "已撤下",
        evidence::State::Lapsed => "已销毁",
        evidence::State::Kept | evidence::State::Unspecified => "",
    }
}

/// What became of it; empty where it is there.
fn fate_of(row: &Evidence) -> String {
    match row.state() {
        evidence::State::Removed => format!("{} {}撤下：{}", row.remove_date, row.removed_by, row.remove_reason),
        evidence::State::Lapsed => format!("{} 保存期满，已销毁", row.remove_date),
        evidence::State::Kept | evidence::State::Unspecified => String::new(),
    }
}

/// How large it is.
fn size_of(row: &Evidence) -> String {
    const KILO: i64 = 1024;
    match row.bytes {
        bytes if bytes < KILO => format!("{bytes} B"),
        bytes if bytes < KILO * KILO => format!("{} KB", bytes / KILO),
        bytes => format!("{}.{} MB", bytes / KILO / KILO, bytes % (KILO * KILO) * 10 / (KILO * KILO)),
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
                handed::of_enrollment(desk.enrollment_line(), desk.request(asked)).await?.into_response()
            }
            Keeper::Aid => handed::of_aid(desk.aid_line(), desk.request(aid::OpenEvidenceRequest { evidence, purpose })).await?.into_response(),
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

    /// The page again, with why a file was not taken.
    async fn again(self, desk: Desk, wrong: String) -> Result<Response, PageError> {
        let desk = desk.at(self.page());
        match self {
            Self::Dossier(keeper, dossier) => dossiers::with_fault(desk, keeper, dossier, wrong).await,
            Self::Case(case) => cases::with_fault(desk, case, wrong).await,
        }
    }
}

fn of_enrollment(desk: &Desk) -> EnrollmentEvidenceServiceClient<crate::upstream::Line> {
    EnrollmentEvidenceServiceClient::new(desk.enrollment_line())
}

fn of_aid(desk: &Desk) -> AidEvidenceServiceClient<crate::upstream::Line> {
    AidEvidenceServiceClient::new(desk.aid_line())
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
        let _turn = desk.turn_of_form().await?;
        at.add(&desk, Sent::of(form).await?).await
    };
    match acted.await {
        // The form leads to what lies there; what was done is told above.
        Ok(()) => Ok(desk.done("材料已添加。", format!("{}#content", at.page()))),
        Err(status) if matches!(status.code(), Code::Unauthenticated | Code::NotFound) => Err(status.into()),
        Err(status) => at.again(desk, in_chinese(status.message())).await,
    }
}

async fn open(desk: Desk, at: At, evidence: String, form: TextForm) -> Result<Response, PageError> {
    Ok(at.open(&desk, evidence, form.text).await?)
}

async fn remove(desk: Desk, at: At, evidence: String, form: TextForm) -> Result<Response, PageError> {
    at.remove(&desk, evidence, form).await?;
    Ok(desk.done("材料已撤下。", at.page()))
}

async fn add_to_dossier(desk: Desk, Path((keeper, id)): Path<(String, String)>, form: Multipart) -> Result<Response, PageError> {
    add(desk, dossier(&keeper, id)?, form).await
}

async fn add_to_case(desk: Desk, Path(case): Path<String>, form: Multipart) -> Result<Response, PageError> {
    add(desk, At::Case(case), form).await
}

type OfDossier = Path<(String, String, String)>;

async fn open_of_dossier(desk: Desk, Path((keeper, id, evidence)): OfDossier, Filled(form): Filled<TextForm>) -> Result<Response, PageError> {
    open(desk, dossier(&keeper, id)?, evidence, form).await
}

async fn open_of_case(desk: Desk, Path((case, evidence)): Path<(String, String)>, Filled(form): Filled<TextForm>) -> Result<Response, PageError> {
    open(desk, At::Case(case), evidence, form).await
}

async fn remove_of_dossier(desk: Desk, Path((keeper, id, evidence)): OfDossier, Filled(form): Filled<TextForm>) -> Result<Response, PageError> {
    remove(desk, dossier(&keeper, id)?, evidence, form).await
}

async fn remove_of_case(desk: Desk, Path((case, evidence)): Path<(String, String)>, Filled(form): Filled<TextForm>) -> Result<Response, PageError> {
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
            assert!(!kind_of(&Evidence { kind: kind.into(), ..Evidence::default() }).is_empty(), "{kind:?}");
        }
        for (state, told) in [(evidence::State::Kept, ""), (evidence::State::Removed, "撤下"), (evidence::State::Lapsed, "销毁")] {
            assert!(fate_of(&Evidence { state: state.into(), ..Evidence::default() }).contains(told));
        }
        for (bytes, shown) in [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (1_048_575, "1023 KB"), (1_572_864, "1.5 MB"), (10_485_760, "10.0 MB")] {
            assert_eq!(size_of(&Evidence { bytes, ..Evidence::default() }), shown);
        }
    }
}
