//! Whether a service can do its work: looked at again and again, with a bound on each look, so that a database that hangs is no
//! more ready than one that is gone. Alive is something else: a process that answers at all.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use xuezhu_store::{Db, run, sqlx::migrate::Migrator};

use crate::{clock::Clock, keyring::Keyring, proof, refusal::Error};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(3);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// A state that was not renewed for so long says nothing any more.
const STALE: Duration = Duration::from_secs(15);

/// One look: why it is not ready.
type Look = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What must be so for a service to be ready.
#[derive(Clone, Default)]
pub struct Checks(Vec<(&'static str, Look)>);

/// How it was found.
#[derive(Debug, Clone)]
struct Found {
    at: Instant,
    /// What is not so: name and why.
    faults: Vec<(&'static str, String)>,
}

/// Whether a service is ready, as it was found last.
#[derive(Debug, Clone)]
pub struct Readiness(watch::Receiver<Option<Found>>);

impl Checks {
    /// One more.
    #[must_use]
    pub fn and(mut self, name: &'static str, look: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static) -> Self {
        self.0.push((name, Arc::new(look)));
        self
    }

    /// That a database is reached and takes writes that last, that it belongs to the keys, and that its schema is the present one:
    /// it may be put back to another under a living process.
    #[must_use]
    pub fn and_database(self, db: &Db, clock: &Clock, keyring: &Keyring, migrations: &'static Migrator) -> Self {
        let (clock, keyring) = (clock.clone(), keyring.clone());
        let of = |db: &Db| db.clone();
        let (written, roomy, proven, migrated) = (of(db), of(db), of(db), of(db));
        self.and("room", move || {
            let full = roomy.was_full_within(STALE);
            Box::pin(async move { if full { Err("a write has just found no room on the disk".into()) } else { Ok(()) } })
        })
        .and("database", move || {
            let (db, now_us) = (written.clone(), clock.now_us());
            Box::pin(async move { takes_writes(&db, now_us).await.map_err(|error| error.to_string()) })
        })
        .and("keys", move || {
            let (db, keyring) = (proven.clone(), keyring.clone());
            Box::pin(async move { proof::still(&db, &keyring).await.map_err(|error| error.to_string()) })
        })
        .and("migrations", move || {
            let db = migrated.clone();
            Box::pin(async move { db.is_migrated(migrations).await.map_err(|error| error.to_string())?.then_some(()).ok_or_else(|| "some are missing".into()) })
        })
    }

    /// Looks until told to stop, on a task of its own.
    pub fn watch(self, service: &'static str, stop: CancellationToken) -> Readiness {
        let (found, readiness) = watch::channel(None);
        tokio::spawn(async move {
            let mut told = false;
            loop {
                let faults = self.look().await;
                // What is not there yet at the first look, as it starts, is no fault; at the second it is.
                let looked = found.send_replace(Some(Found { at: Instant::now(), faults: faults.clone() })).is_some();
                match faults.first() {
                    Some((name, why)) if looked && !told => tracing::error!(service, name, why, "not ready"),
                    None if told => tracing::info!(service, "ready again"),
                    _ => {}
                }
                told = looked && !faults.is_empty();
                metrics::gauge!("xuezhu_ready", "service" => service).set(f64::from(u8::from(faults.is_empty())));
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        });
        Readiness(readiness)
    }

    async fn look(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        for (name, look) in &self.0 {
            match tokio::time::timeout(PATIENCE, look()).await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => faults.push((*name, why)),
                Err(_) => faults.push((*name, format!("no answer within {} s", PATIENCE.as_secs()))),
            }
        }
        faults
    }
}

impl std::fmt::Debug for Checks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Readiness {
    /// Names of what is not so; empty where all is. Why it is not so stands in the log.
    pub fn faults(&self) -> Vec<&'static str> {
        match &*self.0.borrow() {
            None => vec!["starting"],
            Some(found) if found.at.elapsed() > STALE => vec!["silent"],
            Some(found) => found.faults.iter().map(|(name, _)| *name).collect(),
        }
    }

    /// Waits until it was looked at again.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody looks any more: the process stops.
            std::future::pending::<()>().await;
        }
    }
}

/// Writes a row that stands for nothing, and commits it: a full disk or a standby is found out only so.
async fn takes_writes(db: &Db, now_us: i64) -> Result<(), Error> {
    db.write(&now_us, |tx, now_us| {
        Box::pin(async move {
            run!(tx, "INSERT INTO forgetting (only_row, at_us) VALUES (1, $1) ON CONFLICT (only_row) DO UPDATE SET at_us = forgetting.at_us", *now_us)?;
            Ok(())
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_hangs_or_is_not_looked_at_is_not_ready() {
        let mode = Arc::new(AtomicU8::new(0));
        let stop = CancellationToken::new();
        let look = mode.clone();
        let checks = Checks::default().and("database", move || {
            let mode = look.load(Ordering::Relaxed);
            Box::pin(async move {
                match mode {
                    0 => Ok(()),
                    1 => Err("is gone".to_owned()),
                    _ => std::future::pending().await,
                }
            })
        });
        let mut readiness = checks.watch("test", stop.clone());
        assert_eq!(readiness.faults(), ["starting"]);
        readiness.changed().await;
        for (now, faults) in [(0, vec![]), (1, vec!["database"]), (2, vec!["database"]), (0, vec![])] {
            mode.store(now, Ordering::Relaxed);
            readiness.changed().await;
            readiness.changed().await;
            assert_eq!(readiness.faults(), faults, "{now}");
        }
        stop.cancel();
        tokio::time::sleep(STALE * 2).await;
        assert_eq!(readiness.faults(), ["silent"]);
    }
}
