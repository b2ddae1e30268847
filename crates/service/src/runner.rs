//! The one function that every mutation goes through: request id, transaction with retry, audit line, refusal recorded.
//!
//! A refused mutation leaves every row as it was, except the audit, which is written in a transaction of its own.

use std::sync::Arc;

use prost::Message;
use tokio::sync::Notify;
use tonic::{Response, Status};
use uuid::Uuid;
use xuezhu_audit::{Line, Outcome, written::Part};
use xuezhu_chain::Chain;
use xuezhu_domain::text::mask_long_numbers;
use xuezhu_store::{Db, Tx, TxFuture, counted, one, run};

use crate::{
    clock::Clock,
    context::{Actor, Context, Ids, Noted},
    keyring::Keyring,
    refusal::{Error, Reason, Refusal},
};

/// Response metadata that says an answer is the stored one of an earlier, equal request.
pub const REPLAYED: &str = "idempotency-replayed";
/// How long answers to request ids are kept, in microseconds: seven days.
pub const REQUEST_KEPT_US: i64 = 7 * 24 * 3600 * 1_000_000;
/// How long a request id may be, in characters.
pub const REQUEST_ID_CHARACTERS: usize = 128;

/// Runs mutations against one database.
#[derive(Debug, Clone)]
pub struct Runner {
    db: Db,
    clock: Clock,
    ids: Ids,
    committed: Arc<Notify>,
    chain: Chain,
    rows: Chain,
    keyring: Keyring,
}

/// The chain of the audit, among those of a service.
pub const AUDIT: &str = "audit";
/// What binds rows to their checks, among the chains of a service.
pub const ROWS: &str = "rows";

/// For what answers are sealed that are kept for repetitions.
pub(crate) const ANSWER: &str = "answer";

/// The place of a kept answer: its request.
pub(crate) fn place_of_answer(actor: &str, request_id: &str) -> [Uuid; 1] {
    let hash = blake3::derive_key("xuezhu place of a kept answer", format!("{actor}\0{request_id}").as_bytes());
    [Uuid::from_slice(&hash[..16]).expect("sixteen bytes")]
}

/// What is called, for the audit and for knowing a repetition.
#[derive(Debug, Clone)]
pub struct Call {
    method: &'static str,
    resource: String,
    fingerprint: [u8; 32],
    secret: bool,
}

impl Call {
    /// A call of `method` on `resource` (ids and codes only: it goes into the audit).
    pub fn new(method: &'static str, resource: impl Into<String>, request: &impl Message) -> Self {
        Self::of_bytes(method, resource, &request.encode_to_vec())
    }

    /// A call whose body is these bytes.
    pub fn of_bytes(method: &'static str, resource: impl Into<String>, body: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(method.as_bytes()).update(&[0]).update(body);
        Self { method, resource: resource.into(), fingerprint: *hasher.finalize().as_bytes(), secret: false }
    }

    /// The same call under another name for the audit: it only begins what ends later under its own.
    #[must_use]
    pub fn named(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// The answer holds a secret: it is not stored.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

struct Job<'j, A, R> {
    keyring: &'j Keyring,
    chain: &'j Chain,
    ctx: &'j Context,
    call: &'j Call,
    with: &'j A,
    work: for<'t> fn(&'t Context, &'t mut Tx, &'t A) -> TxFuture<'t, R, Error>,
}

enum Answer<R> {
    Fresh(R),
    Replayed(R),
}

impl Runner {
    /// A runner on a database.
    pub fn new(db: Db, clock: Clock, ids: Ids, keyring: Keyring) -> Self {
        Self { db, clock, ids, committed: Arc::new(Notify::new()), chain: keyring.chain(AUDIT), rows: keyring.chain(ROWS), keyring }
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The clocks.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The source of ids.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Woken after each commit: what works on committed rows waits for it, beside a timer.
    pub fn committed(&self) -> Arc<Notify> {
        self.committed.clone()
    }

    /// A context of the present moment, in the service whose database this is.
    pub fn context(&self, actor: Actor) -> Context {
        Context::new(actor, &self.clock, &self.ids).in_service(self.keyring.service()).with_rows(self.rows.clone())
    }

    /// A context for what the system does by itself.
    pub fn system_context(&self) -> Context {
        self.context(Actor::system())
    }

    /// Does something that nobody called for: a transaction with retry, and its line in the audit, where `work` says that anything was done; returns whether it was.
    pub async fn act<A: Sync>(
        &self,
        ctx: &Context,
        what: (&'static str, &str),
        with: &A,
        work: for<'t> fn(&'t Context, &'t mut Tx, &'t A) -> TxFuture<'t, bool, Error>,
    ) -> Result<bool, Error> {
        let with = (ctx, &self.chain, what, with, work);
        self.db
            .write(&with, |tx, (ctx, chain, what, with, work)| {
                Box::pin(async move {
                    ctx.begin_anew();
                    let is_done = work(ctx, tx, with).await?;
                    if is_done {
                        record_act(ctx, tx, chain, *what).await?;
                    }
                    Ok(is_done)
                })
            })
            .await
    }

    /// Runs a mutation: `work` loads, authorises, decides and writes.
    pub async fn mutate<A: Sync, R: Message + Default>(
        &self,
        ctx: &Context,
        call: Call,
        with: &A,
        work: for<'t> fn(&'t Context, &'t mut Tx, &'t A) -> TxFuture<'t, R, Error>,
    ) -> Result<Response<R>, Status> {
        tracing::Span::current().record("resource", masked_resource(&call.resource));
        let job = Job { keyring: &self.keyring, chain: &self.chain, ctx, call: &call, with, work };
        match counted(call.method, self.db.write(&job, |tx, job| Box::pin(job.run(tx)))).await {
            Ok(answer) => {
                self.committed.notify_waiters();
                Ok(answer.into_response())
            }
            Err(error) => {
                // The same request may have been under way and done since: its answer is the answer.
                if let (Error::Refused(refusal), false) = (&error, ctx.request_id.is_empty())
                    && refusal.reason != Reason::RequestIdReused
                    && let Ok(mut tx) = self.db.read().await
                    && let Ok(Some(known)) = job.known(&mut tx).await
                {
                    return Ok(Answer::Replayed(known).into_response());
                }
                self.record_refusal(ctx, call.method, &call.resource, error.reason()).await;
                Err(error.into())
            }
        }
    }

    /// Reads in one state of the database; a refusal is recorded.
    pub async fn read<A: Sync, R>(
        &self,
        ctx: &Context,
        method: &'static str,
        with: &A,
        work: for<'t> fn(&'t Context, &'t mut Tx, &'t A) -> TxFuture<'t, R, Error>,
    ) -> Result<Response<R>, Status> {
        let read = async {
            let mut tx = self.db.read().await?;
            let answer = work(ctx, &mut tx, with).await;
            tx.rollback().await?;
            answer
        };
        match counted(method, read).await {
            Ok(answer) => Ok(Response::new(answer)),
            Err(error) => {
                if matches!(error.reason(), Reason::Forbidden | Reason::MustChangePassword | Reason::MustSetSecondFactor | Reason::MachineEntryForbidden) {
                    self.record_refusal(ctx, method, "", error.reason()).await;
                }
                Err(error.into())
            }
        }
    }

    /// Records that records were believed as they stand.
    pub(crate) async fn record_believed(&self, ctx: &Context, tx: &mut Tx, method: &'static str, resource: &str, parts: &[Part]) -> Result<(), Error> {
        let own = line(ctx, &ctx.told(), (method, resource), Outcome::Done, "");
        Ok(xuezhu_audit::line::write_act(tx, &self.chain, own, parts, Vec::new()).await?)
    }

    /// Records that something was read that not everybody may see, and what for, before it is handed out.
    pub async fn record_reading(&self, ctx: &Context, method: &'static str, resource: &str, purpose: &str) -> Result<(), Error> {
        tracing::Span::current().record("resource", masked_resource(resource));
        self.record(line(ctx, &ctx.told(), (method, resource), Outcome::Read, purpose)).await
    }

    /// Records that something was refused, in a transaction of its own.
    pub async fn record_refusal(&self, ctx: &Context, method: &'static str, resource: &str, reason: Reason) {
        // What PostgreSQL can't hold may be why it was refused.
        let resource = &resource.replace('\0', "�");
        if let Err(error) = self.record(line(ctx, &ctx.told(), (method, resource), Outcome::Refused, reason.as_str_name())).await {
            // That the database is away is said once, by what looks at it again and again.
            metrics::counter!("xuezhu_refusals_unrecorded_total").increment(1);
            tracing::debug!(%error, method, "refusal could not be recorded");
        }
    }

    /// Records that somebody came in or went, before that goes on.
    pub async fn record_entry(&self, ctx: &Context, method: &'static str, resource: &str) -> Result<(), Error> {
        self.record(line(ctx, &ctx.told(), (method, resource), Outcome::Entered, "")).await
    }

    /// Records what the system found by itself: kept like what was done.
    pub async fn record_finding(&self, method: &'static str, resource: &str) -> Result<(), Error> {
        let ctx = self.system_context();
        self.record(line(&ctx, &ctx.told(), (method, resource), Outcome::Done, "")).await
    }

    /// Records that somebody came in or went, in the transaction in which they do.
    pub async fn note_entry(&self, ctx: &Context, tx: &mut Tx, method: &'static str, resource: &str) -> Result<(), Error> {
        Ok(xuezhu_audit::line::write(tx, &self.chain, &[line(ctx, &ctx.told(), (method, resource), Outcome::Entered, "")]).await?)
    }

    async fn record(&self, line: Line) -> Result<(), Error> {
        let with = (self.chain.clone(), line);
        self.db.write(&with, |tx, (chain, line)| Box::pin(async move { Ok(xuezhu_audit::line::write(tx, chain, std::slice::from_ref(line)).await?) })).await
    }

    /// The chain of the audit.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Forgets answers older than [`REQUEST_KEPT_US`], at a time that [`Forgetting`] gave.
    pub async fn forget_old_requests(&self, forgetting_us: i64) -> Result<(), Error> {
        let before = forgetting_us - REQUEST_KEPT_US;
        self.db
            .write(&before, |tx, before| {
                Box::pin(async move {
                    run!(tx, "DELETE FROM requests WHERE at_us < $1", *before)?;
                    Ok(())
                })
            })
            .await
    }
}

impl<A: Sync, R: Message + Default> Job<'_, A, R> {
    async fn run(&self, tx: &mut Tx) -> Result<Answer<R>, Error> {
        if let Some(known) = self.known(tx).await? {
            return Ok(Answer::Replayed(known));
        }
        self.ctx.begin_anew();
        let answer = (self.work)(self.ctx, tx, self.with).await?;
        record_act(self.ctx, tx, self.chain, (self.call.method, &self.call.resource)).await?;
        if !self.ctx.request_id.is_empty() {
            // Ends of numbers stand in answers, beside what the tables hold readable.
            let place = place_of_answer(&self.ctx.actor.account, &self.ctx.request_id);
            let stored = (!self.call.secret).then(|| self.keyring.seal(ANSWER, &place, &answer.encode_to_vec()));
            run!(
                tx,
                // Not before the time that is forgotten by: what was done under a clock that stood behind is kept as long.
                "INSERT INTO requests (actor, request_id, method, fingerprint, response, at_us)
                 VALUES ($1, $2, $3, $4, $5, coalesce((SELECT at_us FROM forgetting WHERE at_us > $6), $6))",
                &self.ctx.actor.account,
                &self.ctx.request_id,
                self.call.method,
                &self.call.fingerprint[..],
                stored,
                self.ctx.now_us()
            )?;
        }
        Ok(Answer::Fresh(answer))
    }

    /// The stored answer to the same request.
    async fn known(&self, tx: &mut Tx) -> Result<Option<R>, Error> {
        if self.ctx.request_id.is_empty() {
            return Ok(None);
        }
        let stored = one!(
            tx,
            (Vec<u8>, Option<Vec<u8>>),
            "SELECT fingerprint, response FROM requests WHERE actor = $1 AND request_id = $2",
            &self.ctx.actor.account,
            &self.ctx.request_id
        )?;
        let Some((fingerprint, response)) = stored else { return Ok(None) };
        if fingerprint != self.call.fingerprint {
            return Err(
                Refusal::new(Reason::RequestIdReused, "这次请求的编号（Idempotency-Key）已用于另一项操作：网页请打开最新页面再办理，程序请换一个编号").into()
            );
        }
        let Some(response) = response else {
            return Err(
                Refusal::new(Reason::AlreadyExists, "该请求已经执行；其中的密码、密钥或恢复码只显示一次：密码请重置，动态码请在“登录安全”页重新办理").into()
            );
        };
        let place = place_of_answer(&self.ctx.actor.account, &self.ctx.request_id);
        let response = self.keyring.open(ANSWER, &place, &response).ok_or_else(|| Error::Internal("a kept answer does not open".into()))?;
        R::decode(&response[..]).map(Some).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Writes what was done: a line with what it wrote of records that are bound, and lines for what was done beside.
async fn record_act(ctx: &Context, tx: &mut Tx, chain: &Chain, what: (&str, &str)) -> Result<(), Error> {
    let written = ctx.written(tx).await?;
    let noted = ctx.told();
    // Made when all is done: its id is later than those of acts that it waited for.
    let own = line(ctx, &noted, what, Outcome::Done, "");
    let also = noted.also.iter().map(|(method, resource)| line(ctx, &noted, (method, resource), Outcome::Done, "")).collect();
    Ok(xuezhu_audit::line::write_act(tx, chain, own, &written, also).await?)
}

/// Whether something was done under this request's id: its repetition is answered, or refused, where it is run.
pub async fn was_answered(ctx: &Context, tx: &mut Tx) -> Result<bool, Error> {
    if ctx.request_id.is_empty() {
        return Ok(false);
    }
    let known = one!(tx, (i32,), "SELECT 1 FROM requests WHERE actor = $1 AND request_id = $2", &ctx.actor.account, &ctx.request_id)?;
    Ok(known.is_some())
}

impl<R> Answer<R> {
    fn into_response(self) -> Response<R> {
        match self {
            Self::Fresh(answer) => Response::new(answer),
            Self::Replayed(answer) => {
                let mut response = Response::new(answer);
                response.metadata_mut().insert(REPLAYED, tonic::metadata::MetadataValue::from_static("true"));
                response
            }
        }
    }
}

/// What was acted on, as the audit keeps it: a number that somebody put in the place of an id is none.
pub(crate) fn masked_resource(resource: &str) -> String {
    if resource.parse::<Uuid>().is_ok() { resource.to_owned() } else { mask_long_numbers(resource) }
}

/// The trace of the request, as the audit keeps it.
fn traced(ctx: &Context) -> String {
    ctx.trace.map_or_else(String::new, |trace| trace.id().to_string())
}

/// A line of what became of a call.
fn line(ctx: &Context, noted: &Noted, (method, resource): (&str, &str), outcome: Outcome, reason: &str) -> Line {
    Line {
        id: ctx.new_id(),
        at_us: ctx.now_us(),
        civil_day: ctx.today(),
        actor: ctx.actor.account.clone(),
        role: ctx.actor.role.as_str().to_owned(),
        organisation: ctx.actor.organisation.clone(),
        method: method.to_owned(),
        resource: masked_resource(resource),
        outcome: outcome.as_str().to_owned(),
        reason: reason.to_owned(),
        request_id: ctx.request_id.clone(),
        address: ctx.address.clone(),
        trace: traced(ctx),
        school: noted.school.clone(),
        region: noted.region.clone(),
        content: noted.content.clone(),
        written: String::new(),
    }
}
