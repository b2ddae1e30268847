//! The clock that things are forgotten by. The system's wall clock may step, a day forward by a mistake, and back: what is
//! kept for thirty days must not be lost by it. This one is kept in the database, and moves at most twice as fast as the
//! monotonic clock of the process that moves it: time that nobody was there for is caught up with, a step is waited out.

use std::time::Duration;

use tokio::time::Instant;
use xuezhu_store::{Db, StoreError, Tx, one};

use crate::{clock::Clock, refusal::Error};

/// A second of life moves it by at most so many.
const SPEED: u32 = 2;

/// Moves the clock of a database.
#[derive(Debug)]
pub struct Forgetting {
    db: Db,
    clock: Clock,
    moved: Instant,
}

impl Forgetting {
    /// Of a database. The first time, it begins at the present.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, moved: Instant::now() }
    }

    /// The time to forget by, microseconds since 1970: never ahead of the wall clock, nor far ahead of where it was.
    pub async fn now_us(&mut self) -> Result<i64, Error> {
        let lived = self.moved.elapsed() * SPEED;
        self.moved = Instant::now();
        let with = (self.clock.now_us(), lived);
        self.db.write(&with, |tx, (now_us, lived)| Box::pin(async move { advance(tx, *now_us, *lived).await.map_err(Error::from) })).await
    }
}

async fn advance(tx: &mut Tx, now_us: i64, lived: Duration) -> Result<i64, StoreError> {
    let lived_us = i64::try_from(lived.as_micros()).unwrap_or(i64::MAX);
    let moved = one!(
        tx,
        (i64,),
        "INSERT INTO forgetting (only_row, at_us) VALUES (1, $1)
         ON CONFLICT (only_row) DO UPDATE SET at_us = CASE WHEN forgetting.at_us + $2 < $1 THEN forgetting.at_us + $2 ELSE $1 END RETURNING at_us",
        now_us,
        lived_us
    )?;
    moved.map(|(at_us,)| at_us).ok_or(StoreError::Corrupt("clock of forgetting"))
}
