//! Gives positions after commit, by one leader, without gaps: a reader at position P has missed nothing below P,
//! on any engine, whatever the order of commits.
//!
//! A lease's expiry is no fence: epoch and next position live in one row, and the transaction that assigns positions
//! updates that row under its epoch. A leader that slept and woke changes nothing.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xuezhu_service::{Clock, Error, Ids};
use xuezhu_store::Db;

use crate::store;

/// How long a leader may be silent before another takes over, in microseconds.
const LEASE_US: i64 = 5_000_000;
/// A lease is renewed when less than this is left, in microseconds.
const RENEW_US: i64 = 3_000_000;
/// Changes that get positions in one transaction.
const BATCH_CHANGES: i64 = 2_000;
/// How often committed changes are looked for when nobody wakes the sequencer (another process committed them).
const POLL: Duration = Duration::from_millis(100);
/// How often the age of waiting changes is measured.
const MEASURE: Duration = Duration::from_secs(2);

/// Gives positions to committed changes.
#[derive(Debug)]
pub struct Sequencer {
    db: Db,
    clock: Clock,
    holder: Uuid,
    committed: Arc<Notify>,
    head: watch::Sender<Head>,
}

/// How far positions were given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The last one.
    pub position: i64,
    /// When it was last known that no committed change waits for one, microseconds since 1970; 0 before.
    pub settled_at_us: i64,
}

/// A lease on leadership.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    epoch: i64,
    until_us: i64,
}

impl Sequencer {
    /// A sequencer that wakes after commits; begins a history where there is none.
    pub async fn new(db: Db, clock: Clock, ids: &Ids, committed: Arc<Notify>) -> Result<Self, Error> {
        let (history, holder) = (ids.next(clock.now()), ids.next(clock.now()));
        db.write(&history, |tx, history| Box::pin(async move { store::begin_history(tx, *history).await.map_err(Error::from) })).await?;
        let mut tx = db.read().await?;
        let next = store::sequencer(&mut tx).await?.map_or(1, |row| row.next_position);
        tx.rollback().await?;
        Ok(Self { db, clock, holder, committed, head: watch::Sender::new(Head { position: next - 1, settled_at_us: 0 }) })
    }

    /// The last position given, as it rises.
    pub fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Works until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut lease = None;
        let mut measured = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            let woken = self.committed.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            match self.step(&mut lease).await {
                // A full batch: there may be more.
                Ok(BATCH_CHANGES) => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "sequencer could not work; trying again");
                    lease = None;
                }
            }
            if measured.elapsed() > MEASURE {
                measured = tokio::time::Instant::now();
                self.measure().await;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        // Whoever starts next need not wait for the lease to run out.
        if let Some(lease) = lease
            && let Err(error) = self.release(lease).await
        {
            tracing::debug!(%error, "the lease runs out by itself");
        }
    }

    async fn release(&self, lease: Lease) -> Result<(), Error> {
        self.db.write(&lease, |tx, lease| Box::pin(async move { store::renew_lease(tx, lease.epoch, 0).await.map(drop).map_err(Error::from) })).await
    }

    /// Takes or renews the lease where needed and gives positions to one batch; returns how many.
    pub async fn step(&self, lease: &mut Option<Lease>) -> Result<i64, Error> {
        let now_us = self.clock.now_us();
        if lease.is_none_or(|lease| lease.until_us - now_us < RENEW_US) {
            *lease = self.lead(*lease, now_us).await?;
        }
        let mut tx = self.db.read().await?;
        let waiting = store::has_unsequenced(&mut tx).await?;
        let next = store::sequencer(&mut tx).await?.map_or(1, |row| row.next_position);
        tx.rollback().await?;
        // Another process may lead: its positions are news here too.
        self.tell(next - 1, (!waiting).then_some(now_us));
        let Some(lease) = *lease else { return Ok(0) };
        if !waiting {
            return Ok(0);
        }
        let assigned = self.assign(lease).await?;
        if assigned > 0 {
            let mut tx = self.db.read().await?;
            let next = store::sequencer(&mut tx).await?.map_or(1, |row| row.next_position);
            tx.rollback().await?;
            self.tell(next - 1, None);
        }
        Ok(assigned)
    }

    /// A new position wakes who waits; that nothing is missing is told with the next word.
    fn tell(&self, position: i64, settled_at_us: Option<i64>) {
        self.head.send_if_modified(|known| {
            let news = known.position != position;
            known.position = position;
            known.settled_at_us = settled_at_us.unwrap_or(known.settled_at_us);
            news
        });
        metrics::gauge!("xuezhu_feed_head_position").set(precise(position));
    }

    /// Gives positions under a lease; nothing where its epoch has passed.
    pub async fn assign(&self, lease: Lease) -> Result<i64, Error> {
        self.db
            .write(&lease, |tx, lease| {
                Box::pin(async move {
                    let Some(first) = store::lock_next_position(tx, lease.epoch).await? else { return Ok(0) };
                    let assigned = store::assign_positions(tx, first, BATCH_CHANGES).await?;
                    if assigned > 0 && !store::advance(tx, lease.epoch, first + assigned).await? {
                        return Err(Error::Internal("the sequencer's row was locked and yet moved".into()));
                    }
                    Ok(assigned)
                })
            })
            .await
    }

    /// Renews the lease, or takes one that has run out.
    pub async fn lead(&self, lease: Option<Lease>, now_us: i64) -> Result<Option<Lease>, Error> {
        let until_us = now_us + LEASE_US;
        let wanted = (lease, self.holder, now_us, until_us);
        self.db
            .write(&wanted, |tx, (lease, holder, now_us, until_us)| {
                Box::pin(async move {
                    if let Some(lease) = lease
                        && store::renew_lease(tx, lease.epoch, *until_us).await?
                    {
                        return Ok(Some(Lease { until_us: *until_us, ..*lease }));
                    }
                    let epoch = store::take_lease(tx, *holder, *now_us, *until_us).await?;
                    Ok(epoch.map(|epoch| Lease { epoch, until_us: *until_us }))
                })
            })
            .await
    }

    async fn measure(&self) {
        let measured: Result<(), Error> = async {
            let mut tx = self.db.read().await?;
            let oldest = store::oldest_unsequenced_us(&mut tx).await?;
            tx.rollback().await?;
            let age_us = oldest.map_or(0, |oldest| (self.clock.now_us() - oldest).max(0));
            metrics::gauge!("xuezhu_feed_sequencer_stalled_seconds").set(precise(age_us) / 1e6);
            Ok(())
        }
        .await;
        if let Err(error) = measured {
            tracing::warn!(%error, "age of waiting changes could not be measured");
        }
    }
}

/// The last position, if every committed change has one: what a follower must reach to have heard all.
pub async fn settled_head(db: &Db) -> Result<Option<i64>, Error> {
    let mut tx = db.read().await?;
    let waiting = store::has_unsequenced(&mut tx).await?;
    let head = store::sequencer(&mut tx).await?.map_or(0, |row| row.next_position - 1);
    tx.rollback().await?;
    Ok((!waiting).then_some(head))
}

#[expect(clippy::cast_precision_loss, reason = "positions and ages stay far below 2^53")]
fn precise(number: i64) -> f64 {
    number as f64
}
