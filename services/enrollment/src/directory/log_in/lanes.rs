//! Passwords are compared a few at a time: each takes 19 MiB, and a core for a while. Whoever is known goes before strangers, and strangers
//! before those who sent wrong ones: a flood of these holds up nobody else.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use xuezhu_service::{Error, Reason, Refusal};

use super::attempts::Lane;

/// After how many seconds whoever waited in vain should come again.
const AGAIN_SECONDS: u64 = 3;

/// Turns of a lane.
#[derive(Debug, Clone)]
struct Turns {
    at_once: Arc<Semaphore>,
    /// Those who wait and those whose turn it is.
    inside: Arc<Semaphore>,
}

impl Turns {
    fn new(at_once: usize, waiting: usize) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once)), inside: Arc::new(Semaphore::new(at_once + waiting)) }
    }

    async fn turn(&self, until: Instant) -> Option<Turn> {
        let inside = self.inside.clone().try_acquire_owned().ok()?;
        let turn = tokio::time::timeout_at(until, self.at_once.clone().acquire_owned()).await.ok()?.ok()?;
        Some(Turn { _turn: turn, _inside: inside })
    }
}

/// A turn; it ends with this.
#[derive(Debug)]
pub struct Turn {
    _turn: OwnedSemaphorePermit,
    _inside: OwnedSemaphorePermit,
}

/// The lanes.
#[derive(Debug, Clone)]
pub struct Lanes {
    known: Turns,
    clean: Turns,
    suspect: Turns,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { known: Turns::new(2, 256), clean: Turns::new(2, 128), suspect: Turns::new(1, 8) }
    }
}

impl Lanes {
    /// Waits for a turn until a time; refuses whom none comes to by then.
    pub async fn turn(&self, lane: Lane, until: Instant) -> Result<Turn, Error> {
        let turns = match lane {
            Lane::Known => &self.known,
            Lane::Clean => &self.clean,
            Lane::Suspect => &self.suspect,
        };
        let busy = || Refusal::new(Reason::TooManyRequests, "同时登录的人较多，请稍后再试").again_after(AGAIN_SECONDS);
        turns.turn(until).await.ok_or_else(|| {
            metrics::counter!("xuezhu_log_ins_turned_away_total").increment(1);
            busy().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_lane_turns_away_at_once_and_holds_up_no_other() {
        let lanes = Lanes { suspect: Turns::new(1, 1), ..Lanes::default() };
        let began = Instant::now();
        let until = began + std::time::Duration::from_secs(3);
        let first = lanes.turn(Lane::Suspect, until).await.expect("a turn");
        let waits = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.turn(Lane::Suspect, until).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert_eq!(lanes.turn(Lane::Suspect, until).await.expect_err("is turned away").reason(), Reason::TooManyRequests);
        assert!(lanes.turn(Lane::Clean, until).await.is_ok() && lanes.turn(Lane::Known, until).await.is_ok());
        assert_eq!(Instant::now(), began);
        drop(first);
        waits.await.expect("a task").expect("has its turn");
    }
}
