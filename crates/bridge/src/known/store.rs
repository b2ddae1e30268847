//! SQL of what was known when.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, one, run};

/// Notes up to which position everything was told by the end of a minute of a civil day, as another begins.
pub async fn note_settled(tx: &mut Tx, minute: i64, day: NaiveDate, position: i64) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO feed_settled (position, minute, day) VALUES ($1, $2, $3) ON CONFLICT (position) DO NOTHING", position, minute, day)?;
    Ok(())
}

/// Up to which position everything was told by the end of a minute.
pub async fn settled_by_minute(tx: &mut Tx, minute: i64) -> Result<Option<i64>, StoreError> {
    let settled = one!(
        tx,
        (i64,),
        "SELECT position FROM (
             SELECT * FROM (SELECT position FROM feed_settled WHERE minute <= $1 ORDER BY minute DESC, position DESC LIMIT 1) AS noted
             UNION ALL SELECT next_position - 1 FROM feed_sequencer WHERE told_minute <= $1
         ) AS told ORDER BY position DESC LIMIT 1",
        minute
    )?;
    Ok(settled.map(|(position,)| position))
}

/// Up to which position everything was told by the end of a civil day.
pub async fn settled_by_day(tx: &mut Tx, day: NaiveDate) -> Result<Option<i64>, StoreError> {
    let settled = one!(
        tx,
        (i64,),
        "SELECT position FROM (
             SELECT * FROM (SELECT position FROM feed_settled WHERE day <= $1 ORDER BY day DESC, position DESC LIMIT 1) AS noted
             UNION ALL SELECT next_position - 1 FROM feed_sequencer WHERE told_day <= $1
         ) AS told ORDER BY position DESC LIMIT 1",
        day
    )?;
    Ok(settled.map(|(position,)| position))
}

/// How far the present history has come, and the position from which it is known what was known.
pub async fn head(tx: &mut Tx) -> Result<Option<(Uuid, i64, i64)>, StoreError> {
    one!(tx, (Uuid, i64, i64), "SELECT history, next_position - 1, known_since FROM feed_sequencer")
}

/// The last position that was given up to one, and the change there, whether the log still holds it or not.
pub async fn told_up_to(tx: &mut Tx, position: i64) -> Result<Option<(i64, Uuid)>, StoreError> {
    one!(
        tx,
        (i64, Uuid),
        "SELECT position, change FROM (
             SELECT * FROM (SELECT position, change FROM change_log WHERE position <= $1 ORDER BY position DESC LIMIT 1) AS logged
             UNION ALL SELECT * FROM (SELECT position, change FROM known_versions WHERE position <= $1 ORDER BY position DESC LIMIT 1) AS known
         ) AS told ORDER BY position DESC LIMIT 1",
        position
    )
}
