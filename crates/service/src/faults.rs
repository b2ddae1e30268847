//! What goes wrong again and again: tried again after longer and longer waits that differ from process to process, told once
//! when it begins and once when it ends, and counted in between.

use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

/// Faults of one piece of work that is tried until it succeeds.
#[derive(Debug)]
pub struct Faults {
    /// What is tried, for log and metric.
    what: &'static str,
    first: Duration,
    last: Duration,
    since: Option<Instant>,
    count: u32,
}

impl Faults {
    /// Of work that is tried again after `first`, then after twice as long each time, up to `last`.
    pub fn new(what: &'static str, first: Duration, last: Duration) -> Self {
        Self { what, first, last, since: None, count: 0 }
    }

    /// Notes a fault; returns how long to wait before the next try.
    pub fn note(&mut self, error: &dyn std::fmt::Display) -> Duration {
        let wait = jittered(self.first.saturating_mul(1 << self.count.min(20)).min(self.last));
        self.count += 1;
        metrics::counter!("xuezhu_faults_total", "work" => self.what).increment(1);
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(work = self.what, %error, "fails; it is tried again, and said again when it works");
        } else {
            tracing::debug!(work = self.what, %error, faults = self.count, "still fails");
        }
        wait
    }

    /// Notes that it works.
    pub fn over(&mut self) {
        if let Some(since) = self.since.take() {
            tracing::info!(work = self.what, faults = self.count, seconds = since.elapsed().as_secs(), "works again");
        }
        self.count = 0;
    }
}

/// Half to one and a half times as long: processes that failed together don't come again together.
pub fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::rng().random_range(0.5..1.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_a_limit_and_begin_anew_when_it_works() {
        let (first, last) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut faults = Faults::new("test", first, last);
        let waits: Vec<Duration> = (0..40).map(|_| faults.note(&"is gone")).collect();
        assert!((first / 2..first * 3 / 2).contains(&waits[0]), "{waits:?}");
        assert!(waits[10..].iter().all(|wait| (last / 2..last * 3 / 2).contains(wait)), "{waits:?}");
        assert!(waits[10..].windows(2).any(|pair| pair[0] != pair[1]), "they differ");
        faults.over();
        assert!((first / 2..first * 3 / 2).contains(&faults.note(&"is gone")));
    }
}
