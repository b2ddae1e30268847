//! What lapses by rule, and what no line asks for: done by the service's own housekeeping, by the clock of forgetting.

use chrono::{DateTime, Months, NaiveDate};
use uuid::Uuid;
use xuezhu_service::{Context, Error, Runner};
use xuezhu_store::Tx;

use crate::{
    Holder, Vault,
    door::{address, away},
    rules::{Proves, State},
    store::{self, Leaving},
};

/// Lines that are looked at, and files that are taken away, at once.
const AT_ONCE: i64 = 200;
/// When a file is tried again that could not be taken away, in microseconds: after an hour.
const AGAIN_US: i64 = 3600 * 1_000_000;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Lines whose time was over.
    pub lapsed: usize,
    /// Files that were taken away.
    pub swept: usize,
}

/// Lets lapse what was kept long enough, and takes away what no line asks for, at a time that [`xuezhu_service::Forgetting`] gave.
pub async fn keep<H: Holder>(runner: &Runner, vault: &Vault, holder: H, forgetting_us: i64) -> Result<Done, Error> {
    let ctx = runner.system_context();
    // A civil day that was stepped ahead ends nothing before its time, nor does a wall clock.
    let today = DateTime::from_timestamp_micros(forgetting_us).map_or(NaiveDate::MIN, |now| now.date_naive()).min(ctx.today());
    let done = Done { lapsed: lapse(runner, holder, &ctx, today).await?, swept: sweep(runner, vault, forgetting_us).await? };
    metrics::counter!("xuezhu_evidence_lapsed_total").increment(done.lapsed.try_into().unwrap_or(0));
    metrics::counter!("xuezhu_evidence_swept_total").increment(done.swept.try_into().unwrap_or(0));
    Ok(done)
}

/// A place among lines.
type After = (NaiveDate, Uuid);

async fn lapse<H: Holder>(runner: &Runner, holder: H, ctx: &Context, today: NaiveDate) -> Result<usize, Error> {
    let Some(before) = today.checked_sub_months(Months::new(12 * Proves::fewest_years())) else { return Ok(0) };
    let (mut after, mut lapsed): (After, usize) = ((NaiveDate::default(), Uuid::nil()), 0);
    loop {
        let with = (holder, ctx.clone(), before, today, after);
        let page = runner
            .db()
            .write(&with, |tx, (holder, ctx, before, today, after)| Box::pin(async move { lapse_some(ctx, tx, *holder, (*before, *today), *after).await }));
        let (next, some) = page.await?;
        lapsed += some;
        match next {
            Some(next) => after = next,
            None => return Ok(lapsed),
        }
    }
}

async fn lapse_some<H: Holder>(
    ctx: &Context,
    tx: &mut Tx,
    holder: H,
    (before, today): (NaiveDate, NaiveDate),
    after: After,
) -> Result<(Option<After>, usize), Error> {
    let lines = store::added_before(tx, before, after, AT_ONCE).await?;
    let mut kinds: Vec<i32> = lines.iter().map(|(_, about, ..)| *about).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut lapsing = Vec::new();
    for kind in kinds {
        let of_kind: Vec<&(Uuid, i32, Uuid, NaiveDate)> = lines.iter().filter(|(_, about, ..)| *about == kind).collect();
        let subjects: Vec<Uuid> = of_kind.iter().map(|(_, _, subject, _)| *subject).collect();
        let over = holder.over(tx, kind, &subjects).await?;
        lapsing.extend(of_kind.iter().filter(|(_, _, subject, _)| over.get(subject).is_some_and(|over| over.lapses(today))).map(|(evidence, ..)| *evidence));
    }
    if !lapsing.is_empty() {
        store::leave(ctx, tx, &lapsing, Leaving { state: State::Lapsed, by_name: "", reason: "" }).await?;
    }
    let is_last = i64::try_from(lines.len()).unwrap_or(0) < AT_ONCE;
    let next = lines.last().filter(|_| !is_last).map(|(evidence, _, _, day)| (*day, *evidence));
    Ok((next, lapsing.len()))
}

async fn sweep(runner: &Runner, vault: &Vault, now_us: i64) -> Result<usize, Error> {
    let (mut swept, mut failed) = (0, None);
    loop {
        let claimed = runner.db().write(&now_us, |tx, now_us| Box::pin(async move { store::claim(tx, *now_us, AT_ONCE).await.map_err(Error::from) })).await?;
        if claimed.is_empty() {
            return failed.map_or(Ok(swept), Err);
        }
        let (mut gone, mut stuck) = (Vec::new(), Vec::new());
        for (evidence, stored) in &claimed {
            match taken_away(vault, stored).await {
                Ok(()) => gone.push(*evidence),
                // One that stays must not keep the others: it is tried again later, and told.
                Err(error) => {
                    stuck.push(*evidence);
                    failed = Some(error);
                }
            }
        }
        let of = (gone, stuck, now_us + AGAIN_US);
        runner
            .db()
            .write(&of, |tx, (gone, stuck, again_us)| {
                Box::pin(async move {
                    store::gone(tx, gone).await?;
                    Ok::<_, Error>(store::put_off(tx, stuck, *again_us).await?)
                })
            })
            .await?;
        swept += of.0.len();
    }
}

async fn taken_away(vault: &Vault, stored: &[u8]) -> Result<(), Error> {
    vault.remove(address(stored)?).await.map_err(|error| away(&error))
}
