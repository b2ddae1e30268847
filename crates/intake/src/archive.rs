//! Receipts, and what can be had by one: the report, the file again with what is wrong marked, what became of it.

use prost::Message;
use tonic::{Response, Status};
use uuid::Uuid;
use xuezhu_proto::common::{ImportReport, ImportSummary, import_report};
pub use xuezhu_service::downloads::Pieces;
use xuezhu_service::{Context, Error, Keyring, Reason, Refusal, clock::rfc3339, downloads};
use xuezhu_store::{StoreError, Tx};
use xuezhu_workbook::Mark;

use crate::{
    Intake, KEPT_US, check,
    findings::small,
    kind::{Act, Kind},
    store::{self, Filter, Receipt, State},
};

/// For what reports and files are sealed.
pub(crate) const REPORT: &str = "report";
pub(crate) const UPLOAD: &str = "upload";
/// Characters of a part of a file's name that is looked for.
const QUERY_CHARACTERS: usize = 60;

/// A file in pieces.
pub fn pieces<T: Send + 'static>(bytes: &[u8], piece: fn(Vec<u8>) -> T) -> Response<Pieces<T>> {
    downloads::pieces(None, bytes, piece)
}

/// The blank workbook of a kind.
pub fn blank<K: Kind>() -> Result<Vec<u8>, Error> {
    xuezhu_workbook::blank(K::sheet().template()).map_err(|error| Error::Internal(error.to_string()))
}

/// What is asked of the archive.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Part of the file's name; empty for any.
    pub query: String,
    /// Where it stands, as clients say it.
    pub state: i32,
    /// Only previews, or only what was written.
    pub preview: Option<bool>,
    /// Before this import.
    pub before: Option<Uuid>,
    /// So many.
    pub limit: i64,
}

/// A state as clients are told of it.
fn told(state: State) -> import_report::State {
    match state {
        State::Running => import_report::State::Running,
        State::Done => import_report::State::Done,
        State::Refused => import_report::State::Refused,
        State::Lost => import_report::State::Lost,
        State::TakenBack => import_report::State::TakenBack,
    }
}

/// The receipt of an import of a kind.
pub(crate) async fn receipt<K: Kind>(tx: &mut Tx, kind: &K, import: Uuid) -> Result<Receipt, Error> {
    let of = kind.of();
    store::receipt(tx, K::ABOUT.code, &of.school, of.subject, import).await?.ok_or_else(|| Refusal::not_found("该次导入").into())
}

/// The records that an import wrote and that were not taken back, for thirty days; refused where it wrote nothing.
pub async fn items<K: Kind>(tx: &mut Tx, kind: &K, import: Uuid) -> Result<Vec<Uuid>, Error> {
    let receipt = receipt(tx, kind, import).await?;
    if receipt.preview || receipt.state != State::Done {
        return Err(Refusal::wrong_state("这次导入没有写入任何内容，或已经撤回").into());
    }
    Ok(store::effects(tx, import).await?.into_iter().map(|effect| effect.item).collect())
}

/// What a receipt adds to a report.
pub(crate) fn envelope(receipt: &Receipt, report: &mut ImportReport) {
    report.import_id = receipt.import.to_string();
    report.preview = receipt.preview;
    report.set_state(told(receipt.state));
    report.file_name.clone_from(&receipt.file_name);
    report.account_name.clone_from(&receipt.account_name);
    report.time = rfc3339(receipt.at_us);
    report.content_hash = hex(&receipt.content_hash);
    report.of_preview = receipt.of_preview.map(|preview| preview.to_string()).unwrap_or_default();
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The report of an import, as it was kept.
pub(crate) async fn kept_report(tx: &mut Tx, keyring: &Keyring, receipt: &Receipt) -> Result<ImportReport, Error> {
    let sealed = store::report(tx, receipt.import).await?.unwrap_or_default();
    let mut report = if sealed.is_empty() {
        ImportReport::default()
    } else {
        let report = keyring.open(REPORT, &[receipt.import], &sealed).ok_or_else(|| Error::Internal("a report does not open".into()))?;
        ImportReport::decode(&report[..]).map_err(|_| StoreError::Corrupt("import report"))?
    };
    envelope(receipt, &mut report);
    report.rows_returnable =
        if receipt.state == State::Done && !receipt.preview { small(usize::try_from(store::effects_left(tx, receipt.import).await?).unwrap_or(0)) } else { 0 };
    Ok(report)
}

/// The file of an import, and the plan of a preview.
pub(crate) async fn kept_file(tx: &mut Tx, keyring: &Keyring, import: Uuid) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
    let (file, plan) = store::file(tx, import).await?.ok_or_else(|| Refusal::new(Reason::NotFound, "原文件已超过保留期，请重新上传"))?;
    let file = keyring.open(UPLOAD, &[import], &file).ok_or_else(|| Error::Internal("an upload does not open".into()))?;
    let opened = |plan: Vec<u8>| keyring.open(crate::write::PLAN, &[import], &plan).ok_or_else(|| Error::Internal("a plan does not open".into()));
    Ok((file, plan.map(opened).transpose()?))
}

impl Intake {
    /// The report of an import: while it runs, how far it is.
    pub async fn report<K: Kind>(&self, ctx: &Context, kind: &K, import: Uuid) -> Result<ImportReport, Status> {
        let report = self.reported(ctx, kind, import).await?;
        if report.state() != import_report::State::Running {
            return Ok(report);
        }
        if let Some(progress) = self.running.of(import) {
            let mut report = report;
            progress.tell(&mut report);
            return Ok(report);
        }
        // It may have ended since, or another process may run it; else whoever ran it is gone.
        let asked = (import, if self.runner.db().is_sqlite() { i64::MAX } else { self.runner.clock().now_us() });
        self.runner.db().write(&asked, |tx, (import, before_us)| Box::pin(async move { Ok::<_, Error>(store::lose(tx, *import, *before_us).await?) })).await?;
        self.reported(ctx, kind, import).await
    }

    async fn reported<K: Kind>(&self, ctx: &Context, kind: &K, import: Uuid) -> Result<ImportReport, Status> {
        let asked = (kind.clone(), self.keyring.clone(), import);
        let report = self.runner.read(ctx, K::ABOUT.report, &asked, |ctx, tx, (kind, keyring, import)| {
            Box::pin(async move {
                kind.may(ctx, tx, Act::Read).await?;
                let receipt = receipt(tx, kind, *import).await?;
                kept_report(tx, keyring, &receipt).await
            })
        });
        report.await.map(Response::into_inner)
    }

    /// Imports of a kind, newest first, and the last of them where there are more.
    pub async fn list<K: Kind>(&self, ctx: &Context, kind: &K, wanted: Wanted) -> Result<(Vec<ImportSummary>, Option<Uuid>), Status> {
        let limit = usize::try_from(wanted.limit).unwrap_or(0);
        let asked = (kind.clone(), wanted);
        let listed = self.runner.read(ctx, K::ABOUT.list, &asked, |ctx, tx, (kind, wanted)| {
            Box::pin(async move {
                kind.may(ctx, tx, Act::Read).await?;
                if wanted.query.chars().count() > QUERY_CHARACTERS {
                    return Err(Refusal::field("query", format!("不能超过{QUERY_CHARACTERS}字")).into());
                }
                let state = State::ALL.into_iter().find(|state| i32::from(told(*state)) == wanted.state);
                if state.is_none() && wanted.state != 0 {
                    return Err(Refusal::field("state", format!("没有取值{}", wanted.state)).into());
                }
                let of = kind.of();
                let filter = Filter { kind: K::ABOUT.code, school: &of.school, subject: of.subject, query: &wanted.query, state, preview: wanted.preview };
                Ok(store::receipts(tx, &filter, wanted.before, wanted.limit + 1).await?)
            })
        });
        let mut receipts = listed.await?.into_inner();
        let more = receipts.len() > limit;
        receipts.truncate(limit);
        let last = receipts.last().filter(|_| more).map(|receipt| receipt.import);
        Ok((receipts.iter().map(summary).collect(), last))
    }

    /// The uploaded file again, with what is wrong marked.
    pub async fn marked<K: Kind>(&self, ctx: &Context, kind: &K, import: Uuid, faulty_only: bool) -> Result<Vec<u8>, Status> {
        let asked = (kind.clone(), self.keyring.clone(), import);
        let kept = self.runner.read(ctx, K::ABOUT.marked, &asked, |ctx, tx, (kind, keyring, import)| {
            Box::pin(async move {
                // It holds whole numbers, so it is for those who may enter them.
                kind.may(ctx, tx, Act::Enter).await?;
                let receipt = receipt(tx, kind, *import).await?;
                let (file, _) = kept_file(tx, keyring, *import).await?;
                Ok((kept_report(tx, keyring, &receipt).await?, file))
            })
        });
        let (report, file) = kept.await?.into_inner();
        let written = tokio::task::spawn_blocking(move || {
            let sheet = K::sheet();
            let tables = check::tables(&file, &sheet)?;
            let marks: Vec<Mark> = report.problems.iter().chain(&report.faulty_rows).map(mark).collect();
            xuezhu_workbook::marked(sheet.template(), &tables, &marks, faulty_only).map_err(|error| Error::Internal(error.to_string()))
        });
        let bytes = written.await.map_err(|error| Error::Internal(error.to_string()))??;
        self.runner.record_reading(ctx, K::ABOUT.marked, &import.to_string(), "核对导入的问题").await?;
        Ok(bytes)
    }
}

/// A problem, as it is marked in the file.
fn mark(problem: &xuezhu_proto::common::Problem) -> Mark {
    Mark {
        sheet: problem.sheet.clone(),
        row: u32::try_from(problem.row).unwrap_or(0),
        column: problem.column.clone(),
        reason: problem.reason.clone(),
        proposed: problem.proposed.clone(),
    }
}

fn summary(receipt: &Receipt) -> ImportSummary {
    let mut report = ImportReport::default();
    envelope(receipt, &mut report);
    ImportSummary {
        import_id: report.import_id,
        school: receipt.school.clone(),
        subject: receipt.subject.map(|subject| subject.to_string()).unwrap_or_default(),
        file_name: report.file_name,
        state: report.state,
        preview: receipt.preview,
        account: receipt.account.clone(),
        account_name: report.account_name,
        time: report.time,
        content_hash: report.content_hash,
        file_kept: receipt.file_kept,
    }
}

/// Forgets files, and what imports did, that are older than [`KEPT_US`]; the receipts and their reports stay.
pub async fn forget_old(tx: &mut Tx, now_us: i64) -> Result<(), Error> {
    store::forget_files_before(tx, now_us - KEPT_US).await?;
    Ok(store::forget_effects_before(tx, now_us - KEPT_US).await?)
}
