//! What a follower keeps beside the records: where it stands, which generation is being loaded, how far lanes went ahead of the cursor.
//! [`Keeper`] is a [`Mirror`] that keeps all this; what becomes of records is its [`Consumer`]'s. To follow another feed is to write a
//! consumer.

mod store;

use std::future::Future;

use futures_util::future;
use uuid::Uuid;
use xuezhu_proto::bridge as pb;
use xuezhu_service::Error;
use xuezhu_store::{Db, StoreError, Tx, counted};

use crate::{
    Cursor, Kind,
    follower::{Forgot, Loading, Mirror, Stand, record_id},
};

/// How many transactions apply a batch beside each other, at most: one follower keeps so many cores of its server busy.
const LANES: usize = 2;

/// Where a mirror stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct State {
    /// Present generation.
    pub generation: i64,
    /// The generation that was begun last.
    pub last_generation: i64,
    /// History of the source; none before the first snapshot.
    pub history: Option<Uuid>,
    /// Scope that is followed.
    pub scope: String,
    /// Position of the cursor.
    pub position: i64,
    /// Change there.
    pub change: Option<Uuid>,
    /// Format that the source answered in.
    pub format: i32,
}

/// Where the mirror of a source stands.
pub async fn state(tx: &mut Tx, source: i16) -> Result<State, StoreError> {
    store::state(tx, source).await
}

/// The same, held against a switch to another generation until the transaction ends. The follower's own moves of the
/// cursor go on beside it.
pub async fn held_state(tx: &mut Tx, source: i16) -> Result<State, StoreError> {
    store::held_state(tx, source).await
}

/// The same, for who changes by what everybody is looked at: waits for all who hold it, and holds up all who come.
pub async fn locked_state(tx: &mut Tx, source: i16) -> Result<State, StoreError> {
    store::locked_state(tx, source).await
}

/// What is made of records. Each call is part of a transaction of the keeper's, and may be repeated with it.
pub trait Consumer: Clone + Send + Sync + 'static {
    /// What one transaction applies of a batch.
    type Part: Clone + Default + Send + Sync + 'static;

    /// Parts a batch into at most so many that may be applied beside each other, none of them empty.
    fn parts(&self, records: &[pb::Record], most: usize) -> Result<Vec<Self::Part>, Error>;
    /// Applies a part to a mirror that then stands at `at`. What is held already, or held newer, changes nothing.
    fn apply(&self, tx: &mut Tx, at: &State, part: Self::Part) -> impl Future<Output = Result<(), Error>> + Send;
    /// Adds records, as told in a format, to a generation that is being loaded.
    fn load(&self, tx: &mut Tx, generation: i64, format: i32, records: &[pb::Record]) -> impl Future<Output = Result<(), Error>> + Send;
    /// What one generation was told and another was not: change, and when it was committed.
    fn differences(&self, tx: &mut Tx, old: i64, new: i64) -> impl Future<Output = Result<Vec<(Uuid, i64)>, Error>> + Send;
    /// Makes what follows from a switch, while both generations are there and nobody else reads the present one; returns how many are
    /// to be looked at after it.
    fn switch(&self, tx: &mut Tx, from: &State, generation: i64, at: &Stand, forgot: &Forgot) -> impl Future<Output = Result<u64, Error>> + Send;
    /// Drops every generation of the source but one.
    fn drop_others(&self, tx: &mut Tx, generation: i64) -> impl Future<Output = Result<(), Error>> + Send;
    /// A switch was committed.
    fn switched(&self);
}

/// Keeps a mirror in a database.
#[derive(Debug, Clone)]
pub struct Keeper<C> {
    db: Db,
    source: i16,
    lane_records: usize,
    consumer: C,
}

impl<C: Consumer> Keeper<C> {
    /// Keeps what `consumer` makes of the records of a source, by its number. A batch is applied in one transaction unless each of two
    /// would get `lane_records`.
    pub fn new(db: Db, source: i16, lane_records: usize, consumer: C) -> Self {
        Self { db, source, lane_records, consumer }
    }

    /// In how many lanes a batch is applied. On SQLite, which has one writer, more would wait for each other.
    fn lanes(&self, records: usize) -> usize {
        if self.db.is_sqlite() { 1 } else { (records / self.lane_records.max(1)).clamp(1, LANES) }
    }

    /// Applies a part in one transaction. Returns `false`, and does nothing, where the cursor does not stand where the follower thinks.
    async fn apply_part(&self, from: &Cursor, to: &Cursor, part: C::Part, step: Step) -> Result<bool, Error> {
        let with = (self.consumer.clone(), self.source, from.clone(), to.clone(), part, step);
        let applied = self.db.write(&with, |tx, (consumer, source, from, to, part, step)| {
            Box::pin(async move {
                let at = match step {
                    Step::Lane(lane) => enter_lane(tx, *source, *lane, from, to).await?,
                    Step::Last => store::move_cursor(tx, *source, from, to).await?,
                };
                let Some(at) = at else { return Ok(false) };
                consumer.apply(tx, &at, part.clone()).await?;
                Ok::<_, Error>(true)
            })
        });
        counted("mirror", applied).await
    }
}

/// What a transaction is of the batch that it applies a part of.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// One of several lanes.
    Lane(i32),
    /// The last, which moves the cursor.
    Last,
}

/// Notes that a lane goes ahead of the cursor, if that stands where the follower thinks. Returns the mirror as this lane sees
/// it: with all that the batch says of whom the lane is about.
async fn enter_lane(tx: &mut Tx, source: i16, lane: i32, from: &Cursor, to: &Cursor) -> Result<Option<State>, StoreError> {
    let at = store::held_state(tx, source).await?;
    if at.history != Some(from.history) || at.position != from.position || at.change.unwrap_or_default() != from.change {
        return Ok(None);
    }
    store::note_lane(tx, lane, to).await?;
    Ok(Some(State { position: to.position, change: Some(to.change), ..at }))
}

impl<C: Consumer> Mirror for Keeper<C> {
    async fn stand(&self) -> Result<Option<Stand>, Error> {
        let mut tx = self.db.read().await?;
        let state = store::state(&mut tx, self.source).await?;
        tx.rollback().await?;
        let cursor = |history| Cursor { history, scope: state.scope, position: state.position, change: state.change.unwrap_or_default() };
        Ok(state.history.map(|history| Stand { cursor: cursor(history), format: state.format }))
    }

    async fn note_format(&self, format: i32) -> Result<(), Error> {
        let with = (self.source, format);
        self.db.write(&with, |tx, (source, format)| Box::pin(async move { store::note_format(tx, *source, *format).await.map_err(Error::from) })).await
    }

    async fn ahead(&self) -> Result<Option<Cursor>, Error> {
        let mut tx = self.db.read().await?;
        let state = store::state(&mut tx, self.source).await?;
        let ahead = store::lane_ahead(&mut tx, state.position).await?;
        tx.rollback().await?;
        let at = |history, (position, change)| Cursor { history, scope: state.scope.clone(), position, change };
        Ok(state.history.zip(ahead).map(|(history, ahead)| at(history, ahead)))
    }

    async fn loading(&self) -> Result<Option<Loading>, Error> {
        let mut tx = self.db.read().await?;
        let row = store::loading(&mut tx).await?;
        tx.rollback().await?;
        Ok(row.map(|row| Loading {
            generation: row.generation,
            stand: Stand { cursor: Cursor { history: row.history, scope: row.scope, position: row.position, change: row.change }, format: row.format },
            after: (row.after_kind, row.after_record),
        }))
    }

    async fn begin_generation(&self, at: &Stand) -> Result<i64, Error> {
        let with = (self.consumer.clone(), self.source, at.clone());
        self.db
            .write(&with, |tx, (consumer, source, at)| {
                Box::pin(async move {
                    // What an attempt before left half loaded serves nobody.
                    let present = store::locked_state(tx, *source).await?.generation;
                    consumer.drop_others(tx, present).await?;
                    let generation = store::next_generation(tx, *source).await?;
                    store::begin_loading(tx, generation, at).await?;
                    Ok::<_, Error>(generation)
                })
            })
            .await
    }

    async fn give_up_loading(&self) -> Result<(), Error> {
        self.db.write(&(), |tx, ()| Box::pin(async move { store::give_up_loading(tx).await.map_err(Error::from) })).await
    }

    async fn load(&self, generation: i64, records: &[pb::Record]) -> Result<(), Error> {
        let with = (self.consumer.clone(), self.source, generation, records.to_vec());
        self.db
            .write(&with, |tx, (consumer, source, generation, records)| {
                Box::pin(async move {
                    only_loader(&store::held_state(tx, *source).await?, *generation)?;
                    let format = store::loading(tx).await?.map(|loading| loading.format).ok_or(StoreError::Corrupt("mirror that is loaded"))?;
                    consumer.load(tx, *generation, format, records).await?;
                    if let Some((kind, record)) = last_of(records)? {
                        store::note_loaded(tx, *generation, kind, record).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    async fn in_doubt(&self, generation: i64) -> Result<Vec<(Uuid, i64)>, Error> {
        let mut tx = self.db.read().await?;
        let present = store::state(&mut tx, self.source).await?.generation;
        let differences = self.consumer.differences(&mut tx, present, generation).await;
        tx.rollback().await?;
        differences
    }

    async fn switch(&self, generation: i64, at: &Stand, forgot: &Forgot) -> Result<(), Error> {
        let with = (self.consumer.clone(), self.source, generation, at.clone(), forgot.clone());
        let marked = self
            .db
            .write(&with, |tx, (consumer, source, generation, at, forgot)| {
                Box::pin(async move {
                    let state = store::locked_state(tx, *source).await?;
                    only_loader(&state, *generation)?;
                    let marked = consumer.switch(tx, &state, *generation, at, forgot).await?;
                    store::switch(tx, *source, *generation, at).await?;
                    consumer.drop_others(tx, *generation).await?;
                    Ok::<_, Error>(marked)
                })
            })
            .await?;
        tracing::info!(generation, marked, "mirror switched to a fresh generation");
        // All of it is new to the planner.
        self.db.analyze().await?;
        self.consumer.switched();
        Ok(())
    }

    /// Applies a batch; the cursor moves with it, or after the last of its lanes. A lane that was applied before something broke off is
    /// applied again, and then changes nothing: its versions are known.
    async fn apply(&self, from: &Cursor, to: &Cursor, records: &[pb::Record]) -> Result<bool, Error> {
        let mut parts = self.consumer.parts(records, self.lanes(records.len()))?;
        let last = if parts.len() == 1 { parts.remove(0) } else { C::Part::default() };
        let beside = (0..).zip(parts).map(|(lane, part)| self.apply_part(from, to, part, Step::Lane(lane)));
        let beside = future::try_join_all(beside).await?;
        let applied = beside.into_iter().all(|applied| applied) && self.apply_part(from, to, last, Step::Last).await?;
        metrics::counter!("xuezhu_feed_records_total").increment(records.len() as u64);
        Ok(applied)
    }
}

/// Kind and id of the last record of a page, whatever this follower knows of its kind.
fn last_of(records: &[pb::Record]) -> Result<Option<(i32, Uuid)>, Error> {
    use pb::record::Body;
    let Some((last, body)) = records.iter().rev().find_map(|record| record.body.as_ref().map(|body| (record, body))) else { return Ok(None) };
    let kind = match body {
        Body::School(_) => Kind::School,
        Body::Person(_) => Kind::Person,
        Body::Enrollment(_) => Kind::Enrollment,
        Body::HeadCount(_) => Kind::HeadCount,
    };
    Ok(Some((kind as i32, record_id(last)?)))
}

/// Of two followers who load at once, the later goes on: it threw away what the earlier had loaded.
fn only_loader(state: &State, generation: i64) -> Result<(), Error> {
    if state.last_generation == generation { Ok(()) } else { Err(Error::Internal("another follower of this mirror has begun a newer generation".into())) }
}
