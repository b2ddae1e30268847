//! The full sweep, and what time alone changes.
//!
//! Suspects are selected set-based: entries that no school simply vouches for, or that the policy does not surely let in, also of schools that it
//! does not let in, numbers claimed
//! twice, entries with more than anybody may draw or with an account that is looked at, entries that were signed without what is asked for,
//! students vouched for who are on no list, and everybody with an open flag. All others agree by construction: what a vouch covers is what
//! the judge asks of an entry. A test holds both drivers against an independent reference.

mod eligible;
pub mod runs;
mod store;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use chrono::NaiveDate;
use futures_util::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xuezhu_domain::Term;
use xuezhu_judge::{
    policy::{self, Policies, Policy, TermDays},
    rules,
};
use xuezhu_service::{Context, Error, Reason, Refusal, faults::Faults};
use xuezhu_store::Tx;

// What the interface and the service ask.
use self::runs::RunState;
pub use self::store::Scope;
pub(crate) use self::store::{last_of_policy, run_row};
use super::{CHUNK_KEYS, judge_keys, marks};
use crate::{Parts, mirror};

/// Runs of an account that may be under way at once: sweeps and trials, each busy for a while.
const UNDER_WAY: i64 = 2;
/// Runs that an account may begin in a day.
const A_DAY: i64 = 200;
/// A day, in microseconds.
const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// After how many seconds somebody may ask again whose runs are under way, and whose are too many for a day.
const AGAIN_SECONDS: (u64, u64) = (30, 3600);

/// Begins a run, unless the account has as many as it may.
pub(crate) async fn begin(ctx: &Context, tx: &mut Tx, run: Uuid, of: (&str, &str), policy: Option<Uuid>) -> Result<(), Error> {
    let (under_way, begun) = store::runs_of(tx, &ctx.actor.account, ctx.now_us() - DAY_US).await?;
    let refused = |why: String, seconds| Err(Refusal::new(Reason::TooManyRequests, why).again_after(seconds).into());
    if under_way >= UNDER_WAY {
        return refused(format!("本账号发起的比对或试算已有{under_way}次还在进行，请等其中一次完成后再发起"), AGAIN_SECONDS.0);
    }
    if begun >= A_DAY {
        return refused(format!("本账号一天内发起的比对和试算已达{A_DAY}次，请以后再发起"), AGAIN_SECONDS.1);
    }
    Ok(store::insert_run(tx, run, of, policy, ctx.now_us(), &ctx.actor.account).await?)
}

/// How often the wake looks at the civil day and at marked persons when nobody wakes it.
const WAKE: Duration = Duration::from_millis(500);

/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How often whoever works on a run says so.
const BEAT: Duration = Duration::from_secs(2);
/// A run that stands still for so long was broken off.
const BROKEN: Duration = Duration::from_secs(15);

/// Chunks that are judged at once; on SQLite they wait for each other.
const CHUNKS_AT_ONCE: usize = 2;

/// Keys that are judged between two notes of how far a run is.
const NOTED_KEYS: i32 = 5_000;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many were judged.
    pub judged: i32,
    /// On which position of the mirror.
    pub position: i64,
    /// What was found, of a run that only finds out.
    pub effect: String,
}

/// Runs a full sweep that was recorded as `run`.
pub async fn run(parts: &Arc<Parts>, run: Uuid, scope: &Scope<'_>) -> Result<(), Error> {
    let ctx = parts.runner.system_context();
    attend(parts, run, sweep(parts, &ctx, run, scope)).await
}

/// Does the work of a run, says meanwhile that somebody does it, and notes how it ended.
pub(crate) async fn attend(parts: &Arc<Parts>, run: Uuid, work: impl Future<Output = Result<Outcome, Error>>) -> Result<(), Error> {
    let done = tokio::select! {
        done = work => done,
        never = beat(parts, run) => match never {},
    };
    let (state, outcome, failed) = match done {
        Ok(outcome) => (RunState::Done, outcome, None),
        Err(error) => (RunState::Failed, Outcome::default(), Some(error)),
    };
    let ended_at_us = parts.runner.clock().now_us();
    let noted = (run, state, outcome, ended_at_us);
    parts
        .runner
        .db()
        .write(&noted, |tx, (run, state, outcome, ended)| {
            Box::pin(async move {
                store::note_run(tx, *run, *state, outcome.judged, outcome.judged, *ended, outcome.position).await?;
                if !outcome.effect.is_empty() {
                    store::note_effect(tx, *run, &outcome.effect).await?;
                }
                Ok::<(), Error>(())
            })
        })
        .await?;
    failed.map_or(Ok(()), Err)
}

/// Notes how far a run is.
pub(crate) async fn note_progress(parts: &Parts, run: Uuid, done: i32, of: i32) -> Result<(), Error> {
    parts
        .runner
        .db()
        .write(&(run, done, of), |tx, (run, done, of)| {
            Box::pin(async move { store::note_run(tx, *run, RunState::Running, *done, *of, 0, 0).await.map_err(Error::from) })
        })
        .await
}

async fn sweep(parts: &Arc<Parts>, ctx: &Context, run: Uuid, scope: &Scope<'_>) -> Result<Outcome, Error> {
    let (position, keys) = suspects(parts, scope, ctx.today()).await?;
    let keys: Vec<Uuid> = keys.into_iter().collect();
    let suspects = i32::try_from(keys.len()).unwrap_or(i32::MAX);
    let progress = Arc::new(Progress { run, suspects, position, judged: AtomicI32::new(0) });
    judge_chunks(parts, &keys, "sweep", Some(progress)).await?;
    Ok(Outcome { judged: suspects, position, effect: String::new() })
}

/// Says again and again that somebody works on a run.
async fn beat(parts: &Arc<Parts>, run: Uuid) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(BEAT).await;
        let beaten = parts.runner.db().write(&run, |tx, run| Box::pin(async move { store::beat(tx, *run).await.map_err(Error::from) })).await;
        if let Err(error) = beaten {
            tracing::debug!(%error, %run, "a run could not say that it lives");
        }
    }
}

/// Tells runs as failed whose process is gone: their beat stands still. Those of other processes that live are left alone.
pub async fn fail_broken_runs(parts: Arc<Parts>, stop: CancellationToken) {
    let mut seen: HashMap<Uuid, (i64, Instant)> = HashMap::new();
    let mut faults = Faults::new("runs that were broken off", BEAT, BROKEN);
    loop {
        let wait = match fail_still(&parts, &mut seen).await {
            Ok(()) => {
                faults.over();
                BEAT
            }
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn fail_still(parts: &Parts, seen: &mut HashMap<Uuid, (i64, Instant)>) -> Result<(), Error> {
    let mut tx = parts.runner.db().read().await?;
    let running = store::running(&mut tx).await?;
    tx.rollback().await?;
    seen.retain(|run, _| running.iter().any(|(known, _)| known == run));
    for (run, beats) in running {
        let (last, since) = *seen.entry(run).or_insert_with(|| (beats, Instant::now()));
        if last != beats {
            seen.insert(run, (beats, Instant::now()));
        } else if since.elapsed() > BROKEN {
            let with = (run, beats, parts.runner.clock().now_us());
            let failed = parts
                .runner
                .db()
                .write(&with, |tx, (run, beats, now_us)| Box::pin(async move { store::fail_run(tx, *run, *beats, *now_us).await.map_err(Error::from) }))
                .await?;
            if failed {
                tracing::warn!(%run, "a sweep was broken off; start another");
            }
        }
    }
    Ok(())
}

/// What one search found, and what it saw of the mirror.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Found {
    generation: i64,
    position: i64,
    keys: Vec<Uuid>,
}

/// Everybody who may have a finding, or has a flag that is not closed, and the mirror's position. Whom the searches, which
/// run beside each other, don't see because the record changes between them, the change itself judges.
async fn suspects(parts: &Parts, scope: &Scope<'_>, today: NaiveDate) -> Result<(i64, BTreeSet<Uuid>), Error> {
    let searches = || {
        vec![
            unvouched(parts, scope).boxed(),
            missing(parts, scope, today).boxed(),
            others(parts, scope).boxed(),
            unentitled(parts, scope).boxed(),
            overpaid(parts, scope).boxed(),
            unasked(parts, scope).boxed(),
        ]
    };
    let found = in_one_generation(searches).await?;
    let position = found.iter().map(|found| found.position).min().unwrap_or_default();
    Ok((position, found.into_iter().flat_map(|found| found.keys).collect()))
}

/// Entries that no school simply vouches for.
async fn unvouched(parts: &Parts, scope: &Scope<'_>) -> Result<Found, Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let mut keys = store::unvouched(&mut tx, mirror.generation, scope).await?;
    let stops = eligible::stops(&parts.policies.now(), &store::kinds_of_lists(&mut tx, scope.term).await?);
    if !stops.is_empty() {
        keys.extend(store::leaving(&mut tx, mirror.generation, scope, &stops).await?);
    }
    tx.rollback().await?;
    Ok(Found { generation: mirror.generation, position: mirror.position, keys })
}

/// Entries that are vouched for, and of whom the policy does not surely let in who is meant.
async fn unentitled(parts: &Parts, scope: &Scope<'_>) -> Result<Found, Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let (policies, lists) = (parts.policies.now(), store::kinds_of_lists(&mut tx, scope.term).await?);
    let (asked, listed) = (eligible::asked(&policies, &lists), eligible::listed(&policies, &lists));
    let mut keys = match asked[..] {
        [] => Vec::new(),
        _ => store::not_surely_entitled(&mut tx, mirror.generation, scope, &asked, &eligible::Words::now()).await?,
    };
    if !listed.is_empty() {
        keys.extend(store::barred(&mut tx, mirror.generation, scope, &listed).await?);
    }
    tx.rollback().await?;
    Ok(Found { generation: mirror.generation, position: mirror.position, keys })
}

/// Entries with more than anybody may draw, of whom there are too many, or whose account is looked at.
async fn overpaid(parts: &Parts, scope: &Scope<'_>) -> Result<Found, Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let generation = mirror.generation;
    let sure = eligible::sure(&parts.policies.now(), &store::kinds_of_lists(&mut tx, scope.term).await?);
    let mut keys = if sure.is_empty() { Vec::new() } else { store::above(&mut tx, generation, scope, &sure).await? };
    keys.extend(store::exceeding(&mut tx, generation, scope).await?);
    keys.extend(store::of_accounts(&mut tx, generation, scope).await?);
    tx.rollback().await?;
    Ok(Found { generation, position: mirror.position, keys })
}

/// Entries that were signed without what their lists ask for.
async fn unasked(parts: &Parts, scope: &Scope<'_>) -> Result<Found, Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let asking = eligible::asking(&parts.policies.now(), &store::kinds_of_lists(&mut tx, scope.term).await?);
    let keys = if asking.is_empty() { Vec::new() } else { store::without_application(&mut tx, mirror.generation, scope, &asking).await? };
    tx.rollback().await?;
    Ok(Found { generation: mirror.generation, position: mirror.position, keys })
}

/// Students on no list of terms that are overdue.
async fn missing(parts: &Parts, scope: &Scope<'_>, today: NaiveDate) -> Result<Found, Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let generation = mirror.generation;
    let mut keys = Vec::new();
    let only: Option<Term> = scope.term.parse().ok();
    let vouched = store::first_vouched(&mut tx, generation).await?;
    // Before anybody was vouched for, nobody can be missing.
    let may_miss = |(_, days): &(String, TermDays)| {
        only.is_none_or(|only| only == days.term) && vouched.is_some_and(|(from, approved)| from <= days.count_day && approved < days.term.end())
    };
    let policies = parts.policies.now();
    for (region, days) in overdue(&policies, policy::first_term().first_day(), today).into_iter().filter(may_miss) {
        if let Some(region_prefix) = within(scope.region_prefix, &region) {
            keys.extend(unlisted(&mut tx, &policies.of_term(days.term, today).policy, generation, region_prefix, &days).await?);
        }
    }
    tx.rollback().await?;
    Ok(Found { generation, position: mirror.position, keys })
}

/// Numbers claimed twice, numbers that were given up, and everybody with a flag.
async fn others(parts: &Parts, scope: &Scope<'_>) -> Result<Found, Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let generation = mirror.generation;
    let mut keys = store::claimed_twice(&mut tx, generation, scope).await?;
    keys.extend(store::former_keys(&mut tx, generation).await?);
    keys.extend(store::flagged_keys(&mut tx, generation, scope).await?);
    tx.rollback().await?;
    Ok(Found { generation, position: mirror.position, keys })
}

/// What searches at once find in one generation of the mirror: where one saw another generation than the rest, nobody of
/// any is sure to be in it, and all are made again.
async fn in_one_generation<'f>(searches: impl Fn() -> Vec<BoxFuture<'f, Result<Found, Error>>>) -> Result<Vec<Found>, Error> {
    loop {
        let found = future::try_join_all(searches()).await?;
        if found.windows(2).all(|pair| pair[0].generation == pair[1].generation) {
            return Ok(found);
        }
        tracing::info!("the mirror switched to another generation during a search; it is made again");
    }
}

/// Terms that became overdue, of those for which lists may be made, each for schools of regions with some first digits.
fn overdue(policies: &Policies, from: NaiveDate, to: NaiveDate) -> Vec<(String, TermDays)> {
    policies.overdue_between(from, to).into_iter().filter(|(_, days)| days.term >= policy::first_term()).collect()
}

/// First digits of the regions that begin with both; `None` where there are no such.
fn within<'r>(one: &'r str, other: &'r str) -> Option<&'r str> {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.starts_with(short).then_some(long)
}

/// Students who may be missing from the lists of a term. A term that was over when a place was approved is locked.
async fn unlisted(tx: &mut Tx, policy: &Policy, generation: i64, region_prefix: &str, days: &TermDays) -> Result<Vec<Uuid>, Error> {
    let term = days.term.to_string();
    let scope = Scope { term: &term, region_prefix };
    let mut keys = Vec::new();
    for scheme in policy.schemes().iter().filter(|scheme| scheme.by_right) {
        keys.extend(store::unlisted(tx, generation, scheme.code.as_str(), &scope, days.count_day, days.term.end()).await?);
    }
    Ok(keys)
}

/// How far a run is.
struct Progress {
    run: Uuid,
    suspects: i32,
    position: i64,
    judged: AtomicI32,
}

impl Progress {
    /// Notes it at first and then now and then: the end of a run is noted with its outcome.
    async fn note(&self, parts: &Parts, more: usize) -> Result<(), Error> {
        let more = i32::try_from(more).unwrap_or(i32::MAX);
        let before = self.judged.fetch_add(more, Ordering::Relaxed);
        let judged = before + more;
        if before > 0 && before / NOTED_KEYS == judged / NOTED_KEYS {
            return Ok(());
        }
        let noted = (self.run, judged, self.suspects, self.position);
        parts
            .runner
            .db()
            .write(&noted, |tx, (run, judged, suspects, position)| {
                Box::pin(async move { store::note_run(tx, *run, RunState::Running, *judged, *suspects, 0, *position).await.map_err(Error::from) })
            })
            .await
    }
}

/// Judges keys chunk by chunk, a few chunks at once; those after one that can't be judged are judged all the same. What is
/// to be done after a chunk is done in its future: while somebody else waits, a chunk that nobody drives may hold the one
/// connection that can write.
async fn judge_chunks(parts: &Arc<Parts>, keys: &[Uuid], driver: &'static str, progress: Option<Arc<Progress>>) -> Result<(), Error> {
    let judge = async |parts: Arc<Parts>, chunk: Vec<Uuid>, progress: Option<Arc<Progress>>| {
        judge_chunk(&parts, &chunk, driver).await?;
        match progress {
            Some(progress) => progress.note(&parts, chunk.len()).await,
            None => Ok(()),
        }
    };
    let chunks: Vec<_> = keys.chunks(CHUNK_KEYS).map(|chunk| judge(parts.clone(), chunk.to_vec(), progress.clone()).boxed()).collect();
    let first_fault = |first: Result<(), Error>, judged: Result<(), Error>| {
        if let Err(error) = &judged {
            tracing::error!(%error, driver, "a chunk could not be judged");
        }
        future::ready(first.and(judged))
    };
    stream::iter(chunks).buffer_unordered(CHUNKS_AT_ONCE).fold(Ok(()), first_fault).await
}

async fn judge_chunk(parts: &Arc<Parts>, keys: &[Uuid], driver: &'static str) -> Result<(), Error> {
    let with = (parts.clone(), parts.runner.system_context(), keys.to_vec(), driver);
    parts.runner.db().write(&with, |tx, (parts, ctx, keys, driver)| Box::pin(async move { judge_keys(ctx, tx, parts, keys, driver).await })).await.map(drop)
}

/// Judges whom time alone changes: students missing from lists that became overdue, graces that ended, and persons whom a
/// fresh generation of the mirror marked. Returns how many keys were judged; 0 when nothing waits.
pub async fn wake(parts: &Arc<Parts>) -> Result<usize, Error> {
    let today = parts.runner.clock().today();
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let policies = parts.policies.fresh(&mut tx).await?;
    let (generation, standard) = (mirror.generation, rules::standard(&policies, today, mirror.format));
    let woken = store::woken_through(&mut tx).await?;
    let mut keys: BTreeSet<Uuid> = BTreeSet::new();
    match woken {
        // Other policies than before, or another judge: everybody may be judged otherwise.
        Some((_, before)) if before != standard => (_, keys) = suspects(parts, &Scope::default(), today).await?,
        _ => {
            let from = woken.map_or_else(|| policy::first_term().first_day(), |(day, _)| day);
            let overdue = overdue(&policies, from, today);
            if !overdue.is_empty() {
                keys.extend(store::former_keys(&mut tx, generation).await?);
            }
            for (region, days) in overdue {
                keys.extend(unlisted(&mut tx, &policies.of_term(days.term, today).policy, generation, &region, &days).await?);
            }
        }
    }
    keys.extend(marks::to_rejudge(&mut tx, today).await?);
    let marked = marks::marked(&mut tx, i64::try_from(CHUNK_KEYS * 20).unwrap_or(i64::MAX)).await?;
    tx.rollback().await?;
    keys.extend(marked);
    let keys: Vec<Uuid> = keys.into_iter().collect();
    judge_chunks(parts, &keys, "wake", None).await?;
    if woken != Some((today, standard)) {
        parts
            .runner
            .db()
            .write(&(today, standard), |tx, (today, standard)| Box::pin(async move { store::wake_through(tx, *today, *standard).await.map_err(Error::from) }))
            .await?;
    }
    Ok(keys.len())
}

/// Wakes on a timer until told to stop.
pub async fn keep_awake(parts: Arc<Parts>, stop: CancellationToken) {
    let mut faults = Faults::new("judging by time", WAKE, LAST_WAIT);
    loop {
        let wait = match wake(&parts).await {
            Ok(judged) => {
                if judged > 0 {
                    tracing::debug!(judged, "judged by time alone");
                }
                faults.over();
                WAKE
            }
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_switch_between_searches_makes_all_of_them_again() {
        let rounds = Cell::new(0);
        let saw = |generation| Found { generation, ..Found::default() };
        let found = in_one_generation(|| {
            rounds.set(rounds.get() + 1);
            // The first time the second still sees the generation before.
            [2, rounds.get().min(2), 2].map(|generation| future::ready(Ok(saw(generation))).boxed()).into()
        })
        .await
        .expect("all are found");
        assert_eq!((found, rounds.get()), (vec![saw(2), saw(2), saw(2)], 2));
    }
}
