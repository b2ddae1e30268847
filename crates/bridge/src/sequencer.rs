//! Gives positions after commit, by one leader, without gaps: a reader at position P has missed nothing below P,
//! on any engine, whatever the order of commits.
//!
//! Nobody's wall clock decides who leads. A leader lets its row beat; whoever sees the row stand still for some seconds of
//! its own monotonic clock takes over. That is no fence: epoch and next position live in one row, and the transaction that
//! assigns positions updates that row under its epoch. A leader that slept and woke changes nothing.
//!
//! A database that goes back in time (a failover to a lagging replica, a restore under a living process) would hand
//! positions out twice. Every process remembers the highest position that it saw in which history: a lower one under the
//! same history begins a new history above it. Another history in the row is adopted, if it begins above what was seen; else one
//! more is begun.

use std::{
    convert::Infallible,
    sync::{Arc, PoisonError},
    time::Duration,
};

use chrono::{DateTime, NaiveDate};

use tokio::{
    sync::{Mutex, Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xuezhu_service::{Clock, Error, Ids, clock::civil_day, faults::Faults};
use xuezhu_store::{Db, Tx, counted};

use crate::{
    format::FORMAT,
    known::{self, MINUTE_US},
    store::{self, SequencerRow},
};

/// How long a leader's row may stand still before another takes over.
pub const SILENCE: Duration = Duration::from_secs(5);
/// How often a leader lets its row beat.
const BEAT: Duration = Duration::from_secs(2);
/// Changes that get positions in one transaction.
const BATCH_CHANGES: i64 = 2_000;
/// How often committed changes are looked for when nobody wakes the sequencer: another process may have committed them. An embedded
/// database has one process, whose commits wake it.
const POLL: Duration = Duration::from_millis(100);
/// How often it is looked whether an embedded database is still the one that it was.
const POLL_EMBEDDED: Duration = Duration::from_secs(1);
/// How often the age of waiting changes is measured.
const MEASURE: Duration = Duration::from_secs(2);
/// A second of life moves the time of telling by at most so many.
const SPEED: u32 = 2;
/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Gives positions to committed changes.
#[derive(Debug)]
pub struct Sequencer {
    db: Db,
    clock: Clock,
    ids: Ids,
    holder: Uuid,
    committed: Arc<Notify>,
    head: watch::Sender<Head>,
    seen: Mutex<Seen>,
    /// When this process gave positions last.
    told: std::sync::Mutex<Option<ToldAt>>,
    stop: CancellationToken,
}

/// How far positions were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// In which history.
    pub history: Uuid,
    /// The last one.
    pub position: i64,
    /// When it was last seen that somebody leads: by the row's own beat.
    pub led: Option<Instant>,
}

impl Head {
    /// Whether positions are given, by this process or another.
    pub fn is_led(&self) -> bool {
        self.led.is_some_and(|at| at.elapsed() < 2 * SILENCE)
    }
}

/// The lead of an epoch, as long as that lasts.
#[derive(Debug, Clone, Copy)]
pub struct Lead {
    epoch: i64,
    beat: Instant,
}

/// When positions were given: by the clock, as far as it is believed, and by one that does not step.
#[derive(Debug, Clone, Copy)]
struct ToldAt {
    us: i64,
    at: Instant,
}

impl ToldAt {
    /// When positions are given now. Not before the minute in which some were given last: a clock that went back says nothing. Nor further
    /// from the last time than this process has lived since, twice over: neither does one that went ahead, however often it is asked.
    fn now(now_us: i64, at: Instant, last: Option<Self>, told_minute: Option<i64>) -> Self {
        let lived_us = |last: Self| i64::try_from((at.duration_since(last.at) * SPEED).as_micros()).unwrap_or(i64::MAX);
        let us = last.map_or(now_us, |last| now_us.min(last.us.saturating_add(lived_us(last))));
        Self { us: us.max(told_minute.map_or(i64::MIN, |minute| minute * MINUTE_US)), at }
    }

    /// The minute, since 1970.
    fn minute(self) -> i64 {
        self.us.div_euclid(MINUTE_US)
    }

    /// The civil day; not before the one on which positions were given last.
    fn day(self, clock: &Clock, told: Option<NaiveDate>) -> NaiveDate {
        let day = clock.stepped().unwrap_or_else(|| civil_day(DateTime::from_timestamp_micros(self.us).unwrap_or_default()));
        told.map_or(day, |told| told.max(day))
    }
}

/// The row as it was last seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    row: SequencerRow,
    /// Since when epoch, holder and beats stand as they do.
    still_since: Instant,
}

impl Sequencer {
    /// A sequencer that wakes after commits and works until `stop`; begins a history where there is none.
    pub async fn new(db: Db, clock: Clock, ids: &Ids, committed: Arc<Notify>, stop: CancellationToken) -> Result<Self, Error> {
        let (history, holder) = (ids.next(clock.now()), ids.next(clock.now()));
        let begun = (history, clock.now_us());
        db.write(&begun, |tx, (history, now_us)| Box::pin(async move { store::begin_history(tx, *history, FORMAT, *now_us).await.map_err(Error::from) }))
            .await?;
        let mut tx = db.read().await?;
        let row = store::sequencer(&mut tx).await?.ok_or_else(|| Error::Internal("no history was begun".into()))?;
        tx.rollback().await?;
        let head = watch::Sender::new(Head { history: row.history, position: row.head(), led: None });
        Ok(Self {
            db,
            clock,
            ids: ids.clone(),
            holder,
            committed,
            head,
            seen: Mutex::new(Seen { row, still_since: Instant::now() }),
            told: std::sync::Mutex::default(),
            stop,
        })
    }

    /// The last position given, as it rises.
    pub fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Works until told to stop.
    pub async fn run(self) {
        tokio::select! {
            // What is measured must go on when the database hangs.
            never = self.measure() => match never {},
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let stop = self.stop.clone();
        let mut lead: Option<Lead> = None;
        let mut faults = Faults::new("sequencer", POLL, LAST_WAIT);
        while !stop.is_cancelled() {
            let woken = self.committed.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let wait = match self.step(&mut lead).await {
                // A full batch: there may be more.
                Ok(assigned) if assigned >= BATCH_CHANGES => continue,
                Ok(_) => {
                    faults.over();
                    if self.db.is_sqlite() { POLL_EMBEDDED } else { POLL }
                }
                Err(error) => {
                    metrics::gauge!("xuezhu_feed_head_position").set(f64::NAN);
                    let wait = faults.note(&error);
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = tokio::time::sleep(wait) => continue,
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        // Whoever starts next need not wait until the row has stood still.
        if let Some(lead) = lead
            && let Err(error) = self.release(lead).await
        {
            tracing::debug!(%error, "the lead passes when the row has stood still");
        }
    }

    async fn release(&self, lead: Lead) -> Result<(), Error> {
        self.db.write(&lead, |tx, lead| Box::pin(async move { store::release_lead(tx, lead.epoch).await.map_err(Error::from) })).await
    }

    /// Looks at the row, leads where nobody does, and gives positions to one batch; returns how many.
    pub async fn step(&self, lead: &mut Option<Lead>) -> Result<i64, Error> {
        let (row, waiting) = self.look().await?;
        if self.notice(&row).await? {
            // What was lost is told by the streams that end now; the rest is for the next step.
            *lead = None;
            return Ok(0);
        }
        *lead = match *lead {
            Some(held) if held.epoch == row.epoch && held.beat.elapsed() < BEAT => Some(held),
            Some(held) if held.epoch == row.epoch => self.beat(held).await?,
            _ => self.take(&row).await?,
        };
        let Some(held) = *lead else { return Ok(0) };
        if !waiting {
            return Ok(0);
        }
        self.assign(held).await
    }

    async fn look(&self) -> Result<(SequencerRow, bool), Error> {
        let mut tx = self.db.read().await?;
        let seen = store::look(&mut tx, 0).await?.ok_or_else(|| Error::Internal("the sequencer's row is gone".into()))?;
        tx.rollback().await?;
        Ok((seen.row, seen.waiting_us.is_some()))
    }

    /// Compares the row with what was seen before, and tells what is new. Returns `true` where the database has gone back
    /// under its own history, and a new one was begun.
    async fn notice(&self, row: &SequencerRow) -> Result<bool, Error> {
        let mut seen = self.seen.lock().await;
        let before = seen.row;
        // A history that another process began without having seen the positions that were given last begins too low as well.
        let least = if row.history == before.history { row.next_position } else { row.base_position + 1 };
        if least < before.next_position {
            if self.db.is_sqlite() {
                // Written over under its open connections: nothing that they remember of it can be trusted.
                tracing::error!("the database file was written over under the running process: it stops; start it again");
                self.db.note_overwritten();
                self.stop.cancel();
                return Ok(true);
            }
            self.go_on_above(row, before.head()).await?;
            return Ok(true);
        }
        if row.history != before.history {
            tracing::warn!(position = row.head(), "the database is in another history of the feed than before: followers ask anew");
        }
        if (row.epoch, row.holder, row.beats, row.history) != (before.epoch, before.holder, before.beats, before.history) {
            seen.still_since = Instant::now();
        }
        seen.row = *row;
        let led = if row.holder.is_nil() { None } else { Some(seen.still_since) };
        drop(seen);
        self.head.send_if_modified(|known| {
            let news = (known.history, known.position) != (row.history, row.head());
            *known = Head { history: row.history, position: row.head(), led };
            news
        });
        metrics::gauge!("xuezhu_feed_head_position").set(precise(row.head()));
        Ok(false)
    }

    /// The database was put back to an older copy: positions above the highest that was ever seen, in a new history.
    async fn go_on_above(&self, row: &SequencerRow, highest: i64) -> Result<(), Error> {
        tracing::error!(
            position = row.head(),
            highest,
            "the database has gone back in time: the feed goes on in a new history, and followers find out what was forgotten"
        );
        metrics::counter!("xuezhu_feed_went_back_total").increment(1);
        let with = (*row, self.ids.next(self.clock.now()), highest, self.clock.now_us());
        self.db
            .write(&with, |tx, (row, history, highest, now_us)| {
                Box::pin(async move { store::go_on_above(tx, row, *history, *highest, *now_us).await.map_err(Error::from) })
            })
            .await
            .map(drop)
    }

    /// Lets the row beat; nothing where the epoch has passed.
    async fn beat(&self, lead: Lead) -> Result<Option<Lead>, Error> {
        let lives = self.db.write(&lead, |tx, lead| Box::pin(async move { store::beat(tx, lead.epoch).await.map_err(Error::from) })).await?;
        Ok(lives.then(|| Lead { beat: Instant::now(), ..lead }))
    }

    /// Takes the lead where nobody has it, or whoever has it stands still.
    pub async fn take(&self, row: &SequencerRow) -> Result<Option<Lead>, Error> {
        let still_since = self.seen.lock().await.still_since;
        if !row.holder.is_nil() && still_since.elapsed() < SILENCE {
            return Ok(None);
        }
        let with = (self.holder, *row);
        let epoch = self.db.write(&with, |tx, (holder, row)| Box::pin(async move { store::take_lead(tx, *holder, row).await.map_err(Error::from) })).await?;
        Ok(epoch.map(|epoch| Lead { epoch, beat: Instant::now() }))
    }

    /// Gives positions under a lead; nothing where its epoch has passed, or the database has gone back since it was looked at. Notes how
    /// far everything was told by now.
    pub async fn assign(&self, lead: Lead) -> Result<i64, Error> {
        let seen = self.seen.lock().await.row;
        let with = (lead, seen, self.clock.clone(), *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        let given = counted(
            "positions",
            self.db.write(&with, |tx, (lead, seen, clock, last)| {
                Box::pin(async move {
                    let Some(row) = store::lock_next_position(tx, lead.epoch).await? else { return Ok(None) };
                    let (first, told) = (row.next_position, row.told);
                    if row.history != seen.history || first < seen.next_position {
                        return Ok(None);
                    }
                    let assigned = store::assign_positions(tx, first, BATCH_CHANGES).await?;
                    if assigned == 0 {
                        return Ok(None);
                    }
                    // Now, not when it was asked for: it may have waited for its turn.
                    let now = ToldAt::now(clock.now_us(), Instant::now(), *last, told.minute);
                    let (minute, day) = (now.minute(), now.day(clock, told.day));
                    if let Some(before) = told.minute.zip(told.day)
                        && before != (minute, day)
                    {
                        known::note_settled(tx, before.0, before.1, first - 1).await?;
                    }
                    let moved = store::advance(tx, lead.epoch, first + assigned, minute, day).await?;
                    let row = moved.ok_or_else(|| Error::Internal("the sequencer's row was locked and yet moved".into()))?;
                    Ok::<_, Error>(Some((assigned, row, now)))
                })
            }),
        )
        .await?;
        let Some((assigned, row, now)) = given else { return Ok(0) };
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.notice(&row).await?;
        Ok(assigned)
    }

    /// Says again and again for how long the oldest change has been waiting; where the database does not answer, for how long it
    /// has not.
    async fn measure(&self) -> Infallible {
        let mut known = Instant::now();
        loop {
            let seconds = match tokio::time::timeout(MEASURE, self.oldest_waiting_us()).await {
                Ok(Ok(age_us)) => {
                    known = Instant::now();
                    precise(age_us) / 1e6
                }
                Ok(Err(_)) | Err(_) => known.elapsed().as_secs_f64(),
            };
            metrics::gauge!("xuezhu_feed_sequencer_stalled_seconds").set(seconds);
            tokio::time::sleep(MEASURE).await;
        }
    }

    async fn oldest_waiting_us(&self) -> Result<i64, Error> {
        let mut tx = self.db.read().await?;
        let oldest = store::look(&mut tx, 0).await?.and_then(|seen| seen.waiting_us);
        tx.rollback().await?;
        Ok(oldest.map_or(0, |oldest| (self.clock.now_us() - oldest).max(0)))
    }
}

/// The history and the last position that was given in it, as a transaction sees it. A record of which no change waits at the same moment is in no
/// later one.
pub async fn settled_at(tx: &mut Tx) -> Result<(Uuid, i64), Error> {
    let row = store::sequencer(tx).await?.ok_or_else(|| Error::Internal("no history was begun".into()))?;
    Ok((row.history, row.head()))
}

/// The last position, if every committed change has one: what a follower must reach to have heard all.
pub async fn settled_head(db: &Db) -> Result<Option<i64>, Error> {
    let mut tx = db.read().await?;
    let seen = store::look(&mut tx, 0).await?;
    tx.rollback().await?;
    let settled = |seen: store::Look| seen.waiting_us.is_none().then(|| seen.row.head());
    Ok(seen.map_or(Some(0), settled))
}

#[expect(clippy::cast_precision_loss, reason = "positions and ages stay far below 2^53")]
fn precise(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells every second of a wall clock that is ahead or behind by so much; returns how far the time of telling is from the right one.
    fn off_by(seconds: i64, wrong_us: i64, mut last: ToldAt, right_us: &mut i64) -> (i64, ToldAt) {
        for _ in 0..seconds {
            *right_us += 1_000_000;
            last = ToldAt::now(*right_us + wrong_us, last.at + Duration::from_secs(1), Some(last), Some(last.minute()));
        }
        (last.us - *right_us, last)
    }

    #[test]
    fn the_time_of_telling_follows_the_clock_and_no_step_of_it() {
        let (day_us, mut right_us) = (86_400_000_000, 1_790_000_000_000_000);
        let begun = ToldAt::now(right_us, Instant::now(), None, None);
        let (off, last) = off_by(600, 0, begun, &mut right_us);
        assert_eq!(off, 0, "it follows");
        // A day ahead for ten minutes, however often something is told meanwhile.
        let (off, last) = off_by(600, day_us, last, &mut right_us);
        assert_eq!(off, 600_000_000, "by no more than was lived");
        let (off, last) = off_by(1_200, 0, last, &mut right_us);
        assert_eq!(off, 0, "and is waited out");
        // A day back: it stands still.
        let (off, last) = off_by(600, -day_us, last, &mut right_us);
        assert!((-660_000_000..=-600_000_000).contains(&off), "{off}");
        let (off, _) = off_by(1_200, 0, last, &mut right_us);
        assert_eq!(off, 0, "and caught up with");
    }
}
