//! The audit's part in a running service: sealed, told to the other service, read by auditors.
//!
//! The two services are each other's witness: each signs how far its chain went, the other keeps it, and hands it back at the next
//! exchange. What is handed back and does not fit any more was cut off.

mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::NaiveDate;
use tokio::time;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;
use xuezhu_audit::{
    Outcome, forget,
    read::{self, Asked, Found},
    seal,
    witness::{self, SignedHead},
};
use xuezhu_domain::{RegionCode, SchoolCode, region};
use xuezhu_proto::common as pb;
use xuezhu_store::Tx;

pub use self::words::method_name;
use crate::{
    clock::rfc3339,
    context::Context,
    faults::Faults,
    keyring::{Keyring, Service},
    paging,
    permission::{Permission, Place},
    refusal::{Error, FieldErrors, Refusal},
    runner::Runner,
};

/// How often lines are sealed: what is taken away before leaves no trace.
const SEAL: Duration = Duration::from_secs(1);
/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(30);
/// How often the audit says that a head of the other service is kept, in microseconds.
const SAY_US: i64 = 3600 * 1_000_000;
/// Days that are shown where it is not said which.
const DAYS: i64 = 30;
/// What heads are signed for.
const HEAD: &str = "audit head";
/// What lines are read for, as the audit keeps it.
const AUDITING: &str = "审计";
/// Days that lines of who came in are kept at least: six months (网络安全法第二十一条).
pub const ACCESS_DAYS_LEAST: u32 = 183;

/// What the other service last handed back.
#[derive(Debug, Clone, Copy, Default)]
struct Handed {
    position: i64,
    at_us: i64,
    is_cut: bool,
}

/// The audit of a running service.
#[derive(Debug, Clone)]
pub struct Audits {
    runner: Runner,
    keyring: Keyring,
    handed: Arc<Mutex<Handed>>,
    /// When the audit said last that a head of the other service is kept, and of which position; none until it was looked.
    said: Arc<Mutex<Option<(i64, i64)>>>,
}

/// What of the audit is asked for; what is empty narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// First civil day.
    pub from_day: String,
    /// Last civil day.
    pub to_day: String,
    /// Region, with all below it.
    pub region: String,
    /// School.
    pub school: String,
    /// Account.
    pub account: String,
    /// What was called.
    pub method: String,
    /// What became of it.
    pub outcome: pb::audit_line::Outcome,
    /// Why it was refused.
    pub reason: String,
}

/// A page of lines that somebody asks for.
#[derive(Debug, Clone)]
struct Page {
    asked: Asked,
    before: Option<Uuid>,
    limit: i64,
    query: paging::Query,
}

impl Audits {
    /// That of a runner's database.
    pub fn new(runner: Runner, keyring: Keyring) -> Self {
        Self { runner, keyring, handed: Arc::default(), said: Arc::default() }
    }

    fn peer(&self) -> Service {
        match self.keyring.service() {
            Service::Enrollment => Service::Aid,
            Service::Aid => Service::Enrollment,
        }
    }

    /// Seals lines until told to stop, and what is left then.
    pub async fn keep_sealed(self, stop: CancellationToken) {
        let mut faults = Faults::new("sealing the audit", SEAL, LAST_WAIT);
        loop {
            let sealed = self.seal().await;
            let wait = match &sealed {
                Ok(()) => {
                    faults.over();
                    SEAL
                }
                Err(error) => faults.note(error),
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = time::sleep(wait) => {}
            }
        }
        if let Err(error) = self.seal().await {
            tracing::debug!(%error, "the last lines of the audit wait for the next start");
        }
    }

    async fn seal(&self) -> Result<(), Error> {
        let sealed = seal::seal(self.runner.db(), self.runner.chain(), self.runner.clock().now_us()).await?;
        metrics::counter!("xuezhu_audit_sealed_total").increment(u64::try_from(sealed).unwrap_or(0));
        Ok(())
    }

    /// Forgets lines of who came in that are older than so many days, by a time that [`crate::Forgetting`] gave.
    pub async fn forget_access(&self, days: u32, forgetting_us: i64) -> Result<usize, Error> {
        let before_us = forgetting_us - i64::from(days.max(ACCESS_DAYS_LEAST)) * 24 * 3600 * 1_000_000;
        Ok(forget::forget(self.runner.db(), self.runner.chain(), before_us).await?)
    }

    /// How far this chain went, signed; none before its first line is sealed.
    pub async fn head(&self) -> Result<Option<pb::SignedHead>, Error> {
        let (position, link) = witness::head(self.runner.db()).await?;
        if position == 0 {
            return Ok(None);
        }
        let signed_at_us = self.runner.clock().now_us();
        let (key_id, signature) = self.keyring.sign(HEAD, SignedHead::said(position, &link, signed_at_us).as_bytes());
        Ok(Some(pb::SignedHead { position, link, signed_at_us, key_id, signature: signature.to_vec() }))
    }

    /// The head of the other service that is kept here and went farthest.
    pub async fn kept(&self) -> Result<Option<pb::SignedHead>, Error> {
        let farthest = witness::farthest(self.runner.db()).await?;
        Ok(farthest.map(|head| pb::SignedHead {
            position: head.position,
            link: head.link,
            signed_at_us: head.at_us,
            key_id: head.key_id,
            signature: head.signature,
        }))
    }

    /// Keeps how far the other service's chain went, if that one signed it.
    pub async fn keep(&self, head: Option<pb::SignedHead>) -> Result<(), Error> {
        let Some(head) = head.map(of_proto) else { return Ok(()) };
        if !is_signed(&self.keyring, self.peer(), &head) {
            return Err(Refusal::field("head", "签名不符：不是对方服务签发的").into());
        }
        witness::keep(self.runner.db(), &head).await?;
        self.say_that_it_is_kept(head.position).await
    }

    /// Now and then, in the chain: whoever takes heads away afterwards has to cut this chain, too, which the other service would see.
    async fn say_that_it_is_kept(&self, position: i64) -> Result<(), Error> {
        let known = *self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let (at_us, of) = if let Some(said) = known {
            said
        } else {
            let mut tx = self.runner.db().read().await?;
            let said = witness::last_said(&mut tx).await;
            tx.rollback().await?;
            said?.unwrap_or_default()
        };
        let now_us = self.runner.clock().now_us();
        // What that line itself adds to the other's chain is nothing to be said again.
        let said = if now_us - at_us >= SAY_US && position > of + 2 {
            self.runner.record_finding(witness::KEPT, &position.to_string()).await?;
            (now_us, position)
        } else {
            (at_us, of)
        };
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        Ok(())
    }

    /// Looks whether what the other service kept of this chain is still here; what is not, nobody can put right: it is said aloud.
    pub async fn compare(&self, kept: Option<pb::SignedHead>) -> Result<(), Error> {
        let Some(kept) = kept.map(of_proto) else { return Ok(()) };
        if !is_signed(&self.keyring, self.keyring.service(), &kept) {
            return Err(Refusal::field("kept", "签名不符：不是本服务签发的").into());
        }
        let mut tx = self.runner.db().read().await?;
        let fits = witness::still_has(&mut tx, kept.position, &kept.link).await;
        tx.rollback().await?;
        let fits = fits?;
        let (handed, before) = {
            let mut known = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *known;
            // What was cut off once stays so, whatever is told since.
            *known = Handed { position: kept.position, at_us: kept.at_us, is_cut: before.is_cut || !fits };
            (*known, before)
        };
        metrics::gauge!("xuezhu_audit_cut").set(if handed.is_cut { 1.0 } else { 0.0 });
        if handed.is_cut && !before.is_cut {
            tracing::error!(position = kept.position, "lines of the audit that the other service was told of are not here any more: run `xuezhu admin verify`");
            self.runner.record_finding("AuditCut", &kept.position.to_string()).await?;
        }
        Ok(())
    }

    /// How the audit stands, for who may read it.
    pub async fn standing(&self, ctx: &Context) -> Result<pb::AuditStanding, Status> {
        self.may(ctx, "GetAuditStanding", &ctx.actor.organisation).await?;
        let standing = seal::standing(self.runner.db()).await.map_err(Error::from)?;
        let handed = *self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(pb::AuditStanding {
            position: standing.position,
            waiting: standing.waiting,
            witnessed_position: if handed.is_cut { 0 } else { handed.position },
            witnessed_time: if handed.at_us > 0 && !handed.is_cut { rfc3339(handed.at_us) } else { String::new() },
            cut: handed.is_cut,
        })
    }

    /// A page of lines, for who may read them; that they were read is a line itself.
    pub async fn lines(&self, ctx: &Context, filter: Filter, query: paging::Query, (size, token): (i32, &str)) -> Result<(Vec<pb::AuditLine>, String), Status> {
        const METHOD: &str = "ListAuditLines";
        // Of the auditor's own region, unless another is named.
        let region = if filter.region.is_empty() { ctx.actor.organisation.clone() } else { filter.region.clone() };
        self.may(ctx, METHOD, &region).await?;
        let page = page(ctx, &region, filter, query, size, token)?;
        if page.before.is_none() {
            let what = page.asked.told();
            self.runner.record_reading(ctx, METHOD, &what, AUDITING).await?;
        }
        let mut tx = self.runner.db().read().await.map_err(Error::from)?;
        let found = read::lines(&mut tx, &page.asked, page.before, page.limit + 1).await;
        tx.rollback().await.map_err(Error::from)?;
        let mut found = found.map_err(Error::from)?;
        let more = i64::try_from(found.len()).is_ok_and(|rows| rows > page.limit);
        found.truncate(usize::try_from(page.limit).unwrap_or_default());
        let next = found.last().filter(|_| more).map(|last| page.query.token(&last.line.id)).unwrap_or_default();
        Ok((found.into_iter().map(told).collect(), next))
    }

    async fn may(&self, ctx: &Context, method: &'static str, region: &str) -> Result<(), Status> {
        let place = region.to_owned();
        let asked = self.runner.read(ctx, method, &place, |ctx: &Context, _: &mut Tx, region: &String| {
            let may = ctx.may(Permission::ReadAudit, &Place::Region(region));
            Box::pin(async move { may })
        });
        asked.await.map(drop)
    }
}

/// A page, of what is asked for.
fn page(ctx: &Context, region: &str, filter: Filter, query: paging::Query, size: i32, token: &str) -> Result<Page, Error> {
    let mut errors = FieldErrors::default();
    let mut day =
        |field: &str, text: &str, default: NaiveDate| if text.is_empty() { default } else { errors.parse::<NaiveDate>(field, text).unwrap_or(default) };
    let to = day("to_day", &filter.to_day, ctx.today());
    let from = day("from_day", &filter.from_day, to - chrono::Duration::days(DAYS));
    if from > to {
        errors.add("from_day", "起始日期不能晚于截止日期");
    }
    if !filter.school.is_empty() {
        errors.parse::<SchoolCode>("school", &filter.school);
    }
    if !region.is_empty() {
        errors.parse::<RegionCode>("region", region);
    }
    errors.check()?;
    let outcome = match filter.outcome {
        pb::audit_line::Outcome::Unspecified => String::new(),
        outcome => outcome.as_str_name().to_owned(),
    };
    Ok(Page {
        asked: Asked {
            region_prefix: if region.is_empty() { String::new() } else { region::prefix(region).to_owned() },
            from,
            to,
            actor: filter.account,
            school: filter.school,
            method: filter.method,
            outcome,
            reason: filter.reason,
        },
        before: query.after::<Uuid>(token)?,
        limit: paging::size(size)?,
        query,
    })
}

fn of_proto(head: pb::SignedHead) -> SignedHead {
    SignedHead { position: head.position, link: head.link, at_us: head.signed_at_us, key_id: head.key_id, signature: head.signature }
}

/// Whether a service signed a head.
pub fn is_signed(keyring: &Keyring, by: Service, head: &SignedHead) -> bool {
    keyring.is_signed(by, &head.key_id, HEAD, SignedHead::said(head.position, &head.link, head.at_us).as_bytes(), &head.signature)
}

fn told(found: Found) -> pb::AuditLine {
    let line = found.line;
    let outcome = Outcome::parse(&line.outcome).and_then(|outcome| pb::audit_line::Outcome::from_str_name(outcome.as_str())).unwrap_or_default();
    pb::AuditLine {
        line: line.id.to_string(),
        time: rfc3339(line.at_us),
        day: line.civil_day.to_string(),
        method_name: method_name(&line.method),
        outcome: outcome.into(),
        account: line.actor,
        role: line.role,
        organisation: line.organisation,
        method: line.method,
        resource: line.resource,
        reason: line.reason,
        address: line.address,
        school: line.school,
        region: line.region,
        content_hash: line.content,
        request_id: line.request_id,
        trace: line.trace,
        position: found.position.unwrap_or_default(),
    }
}
