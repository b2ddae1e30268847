//! The ways in: a file is sent, or a preview is written; waited for, or by itself.

use std::{sync::Arc, time::Duration};

use prost::Message;
use tokio::task::AbortHandle;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;
use xuezhu_domain::text;
use xuezhu_proto::common::{ImportReport, Upload, import_report};
use xuezhu_service::{
    Context, Error, Reason, Refusal, refusal,
    runner::{Call, REPLAYED},
    uploads::{self, Turn},
};
use xuezhu_workbook::UPLOAD_BYTES;

use crate::{
    ALIVE_US, Intake, NAME_CHARACTERS,
    archive::{self, REPORT, UPLOAD},
    bounds, check,
    kind::{Act, Kind, Options},
    progress::Progress,
    store::{self, State},
    write::{self, Job, Plan, Prepared, Sent},
};

/// A piece of a file that is sent.
#[derive(Debug)]
pub enum Piece {
    /// What the file is; first.
    Head(Upload),
    /// Then its bytes.
    Chunk(Vec<u8>),
}

/// How a preview is written.
#[derive(Debug, Clone, Copy)]
pub struct Commit {
    /// The preview.
    pub preview: Uuid,
    /// Write nothing if one row is faulty.
    pub all_or_nothing: bool,
    /// Whether the call waits until all is written.
    pub wait: bool,
}

/// A preview, opened.
struct Opened {
    bytes: Vec<u8>,
    plan: Option<Plan>,
    options: Options,
    file_name: String,
}

/// What an import is on, as the audit names it.
fn resource_of(kind: &impl Kind) -> String {
    let of = kind.of();
    of.subject.map_or(of.school, |subject| subject.to_string())
}

/// The call that begins an import by itself, as the audit names it; what becomes of it stands under the call that sent it.
const BEGIN: &str = "BeginImport";
/// How often whoever runs an import says that they are there.
const SAYS_SO: Duration = Duration::from_secs(15);

/// What an import answers with.
type Answer<R> = fn(ImportReport) -> R;

/// What a file is called, as it is kept: short, and without numbers that may be somebody's.
fn kept_name(name: &str) -> String {
    let bare = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = bare.chars().filter(|c| !c.is_control() && !text::is_invisible(*c)).collect();
    text::hide_long_numbers(plain.trim()).chars().take(NAME_CHARACTERS).collect()
}

impl Intake {
    /// Takes a file in and imports it, or says at once that it does.
    pub async fn import<M, K, R>(
        &self,
        request: Request<Streaming<M>>,
        piece: fn(M) -> Option<Piece>,
        kind: impl FnOnce(&Upload) -> Result<K, Error> + Send,
        answer: Answer<R>,
    ) -> Result<Response<R>, Status>
    where
        M: Send + 'static,
        K: Kind,
        R: Message + Default + 'static,
    {
        let ctx = self.gate.context(&request, K::ABOUT.import).await?;
        let mut stream = request.into_inner();
        let Some(Piece::Head(head)) = stream.message().await?.and_then(piece) else {
            return Err(Error::from(Refusal::field("upload", "第一段应说明学校和方式")).into());
        };
        let kind = kind(&head)?;
        let chunk = move |message: M| piece(message).and_then(|piece| if let Piece::Chunk(chunk) = piece { Some(chunk) } else { None });
        if let Err(error) = self.may_enter(&ctx, &kind).await {
            self.refuse(ctx, (K::ABOUT.import, resource_of(&kind)), error.reason(), (stream, chunk)).await;
            return Err(error.into());
        }
        let turn = self.gate.uploads().turn(&ctx.actor.account).await?;
        let bytes = match uploads::collect(&mut stream, chunk, UPLOAD_BYTES).await {
            Ok(bytes) => bytes,
            Err(error) => {
                self.runner.record_refusal(&ctx, K::ABOUT.import, &resource_of(&kind), error.reason()).await;
                return Err(error.into());
            }
        };
        self.file(ctx, kind, head, bytes, turn, answer).await
    }

    /// Nothing is made of the file of whoever may not enter, and it takes nobody's turn; which one it was stays on record, as far as it came: also
    /// where whoever sent it goes away before it is whole.
    async fn refuse<M: Send + 'static>(
        &self,
        ctx: Context,
        (method, resource): (&'static str, String),
        reason: Reason,
        (mut stream, chunk): (Streaming<M>, impl Fn(M) -> Option<Vec<u8>> + Send + Sync + 'static),
    ) {
        let intake = self.clone();
        // A task of its own: this call ends with whoever made it.
        let recorded = self.tasks.spawn(async move {
            if let Ok(_turn) = intake.gate.refused_uploads().turn(&ctx.actor.account).await
                && let Ok(hash) = uploads::hash(&mut stream, chunk, UPLOAD_BYTES).await
            {
                ctx.note_content(hash.as_bytes());
            }
            intake.runner.record_refusal(&ctx, method, &resource, reason).await;
        });
        // A task that failed has said so.
        let _ = recorded.await;
    }

    async fn may_enter<K: Kind>(&self, ctx: &Context, kind: &K) -> Result<(), Error> {
        let mut tx = self.runner.db().read().await?;
        let may = kind.may(ctx, &mut tx, Act::Enter).await;
        tx.rollback().await?;
        may
    }

    /// Imports a whole file, in a turn.
    pub async fn file<K: Kind, R: Message + Default + 'static>(
        &self,
        ctx: Context,
        kind: K,
        head: Upload,
        bytes: Vec<u8>,
        turn: Turn,
        answer: Answer<R>,
    ) -> Result<Response<R>, Status> {
        let resource = resource_of(&kind);
        let content_hash = *blake3::hash(&bytes).as_bytes();
        ctx.note_content(&content_hash);
        let asked = (ctx.clone(), i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        let room = self.runner.db().write(&asked, |tx, (ctx, bytes)| Box::pin(bounds::may_send(ctx, tx, *bytes))).await;
        if let Err(error) = room {
            self.runner.record_refusal(&ctx, K::ABOUT.import, &resource, error.reason()).await;
            return Err(error.into());
        }
        let wait = head.wait.unwrap_or(true);
        let flags = [head.preview, head.all_or_nothing, head.include_hidden, head.blank_clears].map(u8::from);
        let body = [&content_hash[..], &flags, resource.as_bytes(), if wait { b"" } else { b"\0by itself" }].concat();
        let call = Call::of_bytes(K::ABOUT.import, resource, &body);
        let options = Options { include_hidden: head.include_hidden, blank_clears: head.blank_clears };
        let file = Opened { bytes, plan: None, options, file_name: kept_name(&head.file_name) };
        let way = Way { preview: head.preview, all_or_nothing: head.all_or_nothing, of_preview: None, wait };
        self.take(ctx, call, kind, (file, way), turn, answer).await
    }

    /// Imports what was previewed, from its sealed file: just what the preview said.
    pub async fn commit<K: Kind, R: Message + Default + 'static>(
        &self,
        ctx: Context,
        call: Call,
        kind: K,
        commit: Commit,
        answer: Answer<R>,
    ) -> Result<Response<R>, Status> {
        let turn = self.gate.uploads().turn(&ctx.actor.account).await?;
        let opened = match self.opened(&ctx, &kind, commit.preview).await {
            Ok(opened) => opened,
            // Within the runner: a repetition of what was done hears what was done.
            Err(Error::Refused(refusal)) => {
                return self.runner.mutate(&ctx, call, &*refusal, |_, _, refusal| Box::pin(async move { Err(Error::from(refusal.clone())) })).await;
            }
            Err(error) => return Err(error.into()),
        };
        let way = Way { preview: false, all_or_nothing: commit.all_or_nothing, of_preview: Some(commit.preview), wait: commit.wait };
        self.take(ctx, call, kind, (opened, way), turn, answer).await
    }

    async fn opened<K: Kind>(&self, ctx: &Context, kind: &K, preview: Uuid) -> Result<Opened, Error> {
        let mut tx = self.runner.db().read().await?;
        let opened = async {
            kind.may(ctx, &mut tx, Act::Enter).await?;
            let receipt = archive::receipt(&mut tx, kind, preview).await?;
            if !receipt.preview {
                return Err(Refusal::wrong_state("该文件已经导入过").into());
            }
            if receipt.state != State::Done {
                return Err(Refusal::wrong_state("预览还没有完成，或没有成功，不能写入").into());
            }
            let report = archive::kept_report(&mut tx, &self.keyring, &receipt).await?;
            let (bytes, plan) = archive::kept_file(&mut tx, &self.keyring, preview).await?;
            let plan = plan.map(|plan| write::plan_from(&plan).ok_or_else(|| Error::Internal("a plan can't be read".into()))).transpose()?;
            let options = Options { include_hidden: report.include_hidden, blank_clears: report.blank_clears };
            Ok(Opened { bytes, plan, options, file_name: receipt.file_name })
        };
        let opened = opened.await;
        tx.rollback().await?;
        opened
    }

    /// Takes a whole file, in a turn that it keeps until it is done.
    async fn take<K: Kind, R: Message + Default + 'static>(
        &self,
        ctx: Context,
        call: Call,
        kind: K,
        (file, way): (Opened, Way),
        turn: Turn,
        answer: Answer<R>,
    ) -> Result<Response<R>, Status> {
        let import = ctx.new_id();
        let run = self.running.begin(import);
        let (keyring, bytes) = (self.keyring.clone(), Arc::new(file.bytes));
        let sealing = bytes.clone();
        let sealed = tokio::task::spawn_blocking(move || keyring.seal(UPLOAD, &[import], &sealing));
        let sent = Sent {
            kind,
            keyring: self.keyring.clone(),
            import,
            preview: way.preview,
            all_or_nothing: way.all_or_nothing,
            options: file.options,
            file_name: file.file_name,
            content_hash: *blake3::hash(&bytes).as_bytes(),
            file_sealed: sealed.await.map_err(|error| Error::Internal(error.to_string()))?,
            previewed: way.of_preview.map(|preview| (preview, file.plan)),
            begun: !way.wait,
            progress: run.progress.clone(),
        };
        if way.wait {
            let _until_done = (turn, run);
            let job = self.prepared(&ctx, sent, bytes).await?;
            let job = (job, answer);
            let answered = self.runner.mutate(&ctx, call, &job, |ctx, tx, (job, answer)| Box::pin(async move { Ok(answer(write::run(ctx, tx, job).await?)) }));
            let answered = answered.await;
            count::<K>(way.preview, answered.is_ok());
            return answered;
        }
        let sent = (sent, answer);
        let begun = self.runner.mutate(&ctx, call.named(BEGIN), &sent, |ctx, tx, (sent, answer)| {
            Box::pin(async move {
                sent.begin(ctx, tx).await?;
                let mut report = sent.report();
                archive::envelope(&archive::receipt(tx, &sent.kind, sent.import).await?, &mut report);
                sent.progress.tell(&mut report);
                Ok(answer(report))
            })
        });
        let begun = begun.await?;
        if begun.metadata().get(REPLAYED).is_none() {
            let (intake, (sent, _)) = (self.clone(), sent);
            self.tasks.spawn(async move {
                let _until_done = (turn, run);
                intake.by_itself(ctx, sent, bytes).await;
            });
        }
        Ok(begun)
    }

    /// Imports a file whose receipt stands; what is refused is kept with it.
    async fn by_itself<K: Kind>(&self, mut ctx: Context, sent: Sent<K>, bytes: Arc<Vec<u8>>) {
        // The call that began it has its answer.
        ctx.request_id.clear();
        let (import, preview, of_preview, mut report) = (sent.import, sent.preview, sent.previewed.is_some(), sent.report());
        let _alive = self.alive(import);
        let ended = async {
            let job = self.prepared(&ctx, sent, bytes).await?;
            let call = Call::of_bytes(if of_preview { K::ABOUT.commit } else { K::ABOUT.import }, import.to_string(), &[]);
            self.runner.mutate(&ctx, call, &job, |ctx, tx, job| Box::pin(write::run(ctx, tx, job))).await
        };
        let ended: Result<_, Status> = ended.await;
        count::<K>(preview, ended.is_ok());
        let Err(status) = ended else { return };
        let reason = refusal::reason_of(&status).unwrap_or(Reason::Unavailable);
        (report.refusal_reason, report.refusal) = (reason.as_str_name().to_owned(), status.message().to_owned());
        report.set_state(import_report::State::Refused);
        let sealed = self.keyring.seal(REPORT, &[import], &report.encode_to_vec());
        let end = (import, sealed);
        let kept = self.runner.db().write(&end, |tx, (import, sealed)| {
            Box::pin(async move {
                // Of what was refused there is nothing to be had.
                store::forget_file(tx, *import).await?;
                Ok::<_, Error>(store::end(tx, *import, State::Refused, sealed).await?)
            })
        });
        if let Err(error) = kept.await {
            // Whoever asks is told that it is lost, which is true: nothing was written.
            tracing::warn!(%error, %import, "why an import was refused could not be kept");
        }
    }

    /// Reads and checks a file, outside any transaction.
    async fn prepared<K: Kind>(&self, ctx: &Context, sent: Sent<K>, bytes: Arc<Vec<u8>>) -> Result<Job<K>, Error> {
        let tables = tokio::task::spawn_blocking(move || check::tables(&bytes, &K::sheet())).await;
        let broken = || Refusal::new(Reason::FileUnreadable, "文件内部结构损坏，无法读取；请用Excel或WPS另存为.xlsx后重新上传");
        let tables = match tables.unwrap_or_else(|_| Err(broken())) {
            Ok(tables) => Arc::new(tables),
            Err(refusal) => return Ok(Job { sent, prepared: Err(refusal) }),
        };
        let mut tx = self.runner.db().read().await?;
        let rules = sent.kind.rules(ctx, &mut tx).await;
        tx.rollback().await?;
        let rules = match rules {
            Ok(rules) => rules,
            Err(Error::Refused(refusal)) => return Ok(Job { sent, prepared: Err(*refusal) }),
            Err(error) => return Err(error),
        };
        let with = (sent.kind.clone(), rules.clone(), tables.clone(), sent.options, sent.progress.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let (kind, rules, tables, options, progress): (K, K::Rules, Arc<Vec<_>>, Options, Arc<Progress>) = with;
            check::check(&kind, &rules, &tables, options, &progress)
        });
        let checked = checked.await.map_err(|error| Error::Internal(error.to_string()))??;
        Ok(Job { sent, prepared: Ok(Prepared { tables, rules, checked }) })
    }
}

/// How a file is taken.
#[derive(Debug, Clone, Copy)]
struct Way {
    preview: bool,
    all_or_nothing: bool,
    of_preview: Option<Uuid>,
    /// Whether the call waits until it is done.
    wait: bool,
}

/// Says of an import that whoever runs it is there, until this is dropped.
struct Alive(AbortHandle);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Intake {
    fn alive(&self, import: Uuid) -> Alive {
        let runner = self.runner.clone();
        let says = async move {
            // Nobody else looks at a file of SQLite.
            while !runner.db().is_sqlite() {
                tokio::time::sleep(SAYS_SO).await;
                let until = (import, runner.clock().now_us() + ALIVE_US);
                let said =
                    runner.db().write(&until, |tx, (import, until_us)| Box::pin(async move { Ok::<_, Error>(store::is_alive(tx, *import, *until_us).await?) }));
                if let Err(error) = said.await {
                    tracing::debug!(%error, %import, "that an import runs could not be said");
                }
            }
        };
        Alive(tokio::spawn(says).abort_handle())
    }
}

/// Counts an import that ended.
fn count<K: Kind>(preview: bool, is_done: bool) {
    let outcome = if is_done { "done" } else { "refused" };
    let act = if preview { "preview" } else { "write" };
    metrics::counter!("xuezhu_imports_total", "call" => K::ABOUT.import, "act" => act, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_what_its_sender_called_it_within_bounds() {
        for (sent, kept) in [
            ("新生.xlsx", "新生.xlsx"),
            ("C:\\fakepath\\新生 1班.xlsx", "新生 1班.xlsx"),
            ("/home/li/a.csv", "a.csv"),
            ("王伟11010519491231002X.xlsx", "王伟***.xlsx"),
            ("a\u{202e}b\n.xlsx", "ab.xlsx"),
            ("", ""),
        ] {
            assert_eq!(kept_name(sent), kept, "{sent}");
        }
        assert_eq!(kept_name(&"长".repeat(500)).chars().count(), NAME_CHARACTERS);
    }
}
