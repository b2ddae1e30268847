//! SQL of where a follower stands. Its tables come with the migrations of the service that follows: `mirror_state` with a row a source,
//! `mirror_loading` and `mirror_lanes`, which a second source would need rows of its own in.

use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, one, run, sql};

use super::State;
use crate::{Cursor, follower::Stand};

pub async fn state(tx: &mut Tx, source: i16) -> Result<State, StoreError> {
    one!(tx, State, "SELECT generation, last_generation, history, scope, position, change, format FROM mirror_state WHERE source = $1", source)?
        .ok_or(StoreError::Corrupt("mirror state"))
}

/// The same, held against a switch.
pub async fn held_state(tx: &mut Tx, source: i16) -> Result<State, StoreError> {
    one!(
        tx,
        State,
        sql!(
            "SELECT generation, last_generation, history, scope, position, change, format FROM mirror_state WHERE source = $1"
            only(sqlite "", postgres " FOR KEY SHARE")
        ),
        source
    )?
    .ok_or(StoreError::Corrupt("mirror state"))
}

/// The same, for a switch: waits for all who hold it.
pub async fn locked_state(tx: &mut Tx, source: i16) -> Result<State, StoreError> {
    one!(
        tx,
        State,
        sql!(
            "SELECT generation, last_generation, history, scope, position, change, format FROM mirror_state WHERE source = $1"
            only(sqlite "", postgres " FOR UPDATE")
        ),
        source
    )?
    .ok_or(StoreError::Corrupt("mirror state"))
}

/// A number above that of every generation that any source ever began.
pub async fn next_generation(tx: &mut Tx, source: i16) -> Result<i64, StoreError> {
    let next = one!(
        tx,
        (i64,),
        "UPDATE mirror_state SET last_generation = (SELECT max(last_generation) FROM mirror_state) + 1 WHERE source = $1 RETURNING last_generation",
        source
    )?;
    next.map(|(generation,)| generation).ok_or(StoreError::Corrupt("mirror state"))
}

/// Moves the cursor, if it stands where the follower thinks: compare and set. Returns the mirror as it then stands.
pub async fn move_cursor(tx: &mut Tx, source: i16, from: &Cursor, to: &Cursor) -> Result<Option<State>, StoreError> {
    one!(
        tx,
        State,
        "UPDATE mirror_state SET position = $1, change = $2 WHERE history = $3 AND position = $4 AND coalesce(change, $6) = $5 AND source = $7
         RETURNING generation, last_generation, history, scope, position, change, format",
        to.position,
        to.change,
        from.history,
        from.position,
        from.change,
        Uuid::nil(),
        source
    )
}

/// Notes that a lane goes ahead of the cursor.
pub async fn note_lane(tx: &mut Tx, lane: i32, to: &Cursor) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO mirror_lanes (lane, position, change) VALUES ($1, $2, $3)
         ON CONFLICT (lane) DO UPDATE SET position = excluded.position, change = excluded.change",
        lane,
        to.position,
        to.change
    )?;
    Ok(())
}

/// The position and change that the farthest lane reached, if that is ahead of the cursor.
pub async fn lane_ahead(tx: &mut Tx, position: i64) -> Result<Option<(i64, Uuid)>, StoreError> {
    one!(tx, (i64, Uuid), "SELECT position, change FROM mirror_lanes WHERE position > $1 ORDER BY position DESC LIMIT 1", position)
}

/// Makes a generation the present one, that stands at a place: nothing is loaded beside it, and no lane is ahead.
pub async fn switch(tx: &mut Tx, source: i16, generation: i64, at: &Stand) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE mirror_state SET generation = $1, history = $2, scope = $3, position = $4, change = $5, format = $6 WHERE source = $7",
        generation,
        at.cursor.history,
        &at.cursor.scope,
        at.cursor.position,
        at.cursor.change,
        at.format,
        source
    )?;
    run!(tx, "DELETE FROM mirror_lanes")?;
    run!(tx, "DELETE FROM mirror_loading")?;
    Ok(())
}

/// Notes the format that the source answers in.
pub async fn note_format(tx: &mut Tx, source: i16, format: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE mirror_state SET format = $1 WHERE source = $2", format, source)?;
    Ok(())
}

/// A generation that is being loaded.
#[derive(Debug, sqlx::FromRow)]
pub struct LoadingRow {
    pub generation: i64,
    pub history: Uuid,
    pub scope: String,
    pub position: i64,
    pub change: Uuid,
    pub format: i32,
    pub after_kind: i32,
    pub after_record: Uuid,
}

pub async fn loading(tx: &mut Tx) -> Result<Option<LoadingRow>, StoreError> {
    one!(tx, LoadingRow, "SELECT generation, history, scope, position, change, format, after_kind, after_record FROM mirror_loading")
}

pub async fn begin_loading(tx: &mut Tx, generation: i64, at: &Stand) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM mirror_loading")?;
    run!(
        tx,
        "INSERT INTO mirror_loading (only_row, generation, history, scope, position, change, format, after_kind, after_record) VALUES (1, $1, $2, $3, $4, $5, $6, 0, $7)",
        generation,
        at.cursor.history,
        &at.cursor.scope,
        at.cursor.position,
        at.cursor.change,
        at.format,
        Uuid::nil()
    )?;
    Ok(())
}

pub async fn note_loaded(tx: &mut Tx, generation: i64, kind: i32, record: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE mirror_loading SET after_kind = $2, after_record = $3 WHERE generation = $1", generation, kind, record)?;
    Ok(())
}

pub async fn give_up_loading(tx: &mut Tx) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM mirror_loading")?;
    Ok(())
}
