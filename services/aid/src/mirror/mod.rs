//! The follower's end: what enrollment says, by generation; schools to authorise by; how fresh it is.

mod batch;
mod store;

use std::sync::Arc;

use futures_util::future;
use xuezhu_bridge::{Cursor, follower::Mirror};
use xuezhu_proto::bridge as pb;
use xuezhu_service::{Context, Error, Permission, Place, Refusal};
use xuezhu_store::Tx;

use self::batch::Batch;
pub use self::store::SchoolRow;
// What other capabilities may ask.
pub(crate) use self::store::{StateRow, held_state, school, school_names, state};
use crate::{Parts, reconciliation};

/// How many transactions apply a batch beside each other, at most: one follower keeps so many cores of its server busy.
const LANES: usize = 2;

/// The mirror in aid's database.
#[derive(Debug, Clone)]
pub struct AidMirror {
    /// What the service works with.
    pub parts: Arc<Parts>,
    /// A batch is applied in one transaction unless each of two would get so many records.
    pub lane_records: usize,
}

/// A school that the mirror knows, if the actor may do something there.
pub async fn school_for(ctx: &Context, tx: &mut Tx, code: &str, permission: Permission) -> Result<SchoolRow, Error> {
    let Some(school) = store::school(tx, code).await? else {
        ctx.may(permission, &Place::School { code, authority: "" })?;
        return Err(Refusal::not_found("该学校（或学籍系统的学校信息尚未同步到资助系统）").into());
    };
    ctx.may(permission, &Place::School { code: &school.school, authority: &school.authority })?;
    Ok(school)
}

impl Mirror for AidMirror {
    async fn cursor(&self) -> Result<Option<Cursor>, Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let state = store::state(&mut tx).await?;
        tx.rollback().await?;
        Ok(state.history.map(|history| Cursor { history, scope: state.scope, position: state.position, change: state.change.unwrap_or_default() }))
    }

    async fn ahead(&self) -> Result<Option<Cursor>, Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let state = store::state(&mut tx).await?;
        let ahead = store::lane_ahead(&mut tx, state.position).await?;
        tx.rollback().await?;
        let at = |history, (position, change)| Cursor { history, scope: state.scope.clone(), position, change };
        Ok(state.history.zip(ahead).map(|(history, ahead)| at(history, ahead)))
    }

    async fn begin_generation(&self) -> Result<i64, Error> {
        self.parts
            .runner
            .db()
            .write(&(), |tx, ()| {
                Box::pin(async move {
                    // What an attempt before left half loaded serves nobody.
                    let present = store::locked_state(tx).await?.generation;
                    store::drop_other_generations(tx, present).await?;
                    Ok::<_, Error>(store::next_generation(tx).await?)
                })
            })
            .await
    }

    async fn load(&self, generation: i64, records: &[pb::Record]) -> Result<(), Error> {
        let with = (generation, records.to_vec());
        self.parts
            .runner
            .db()
            .write(&with, |tx, (generation, records)| {
                Box::pin(async move {
                    only_loader(&store::held_state(tx).await?, *generation)?;
                    Batch::of(records)?.write(tx, *generation).await?;
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    /// Makes a generation the present one and marks everyone who differs; they are judged in chunks after it.
    async fn switch(&self, generation: i64, cursor: &Cursor) -> Result<(), Error> {
        let with = (generation, cursor.clone());
        let marked = self
            .parts
            .runner
            .db()
            .write(&with, |tx, (generation, cursor)| {
                Box::pin(async move {
                    let state = store::locked_state(tx).await?;
                    only_loader(&state, *generation)?;
                    let marked = store::mark_differences(tx, state.generation, *generation).await?;
                    reconciliation::carry_subjects(tx, state.generation, *generation).await?;
                    store::switch(tx, *generation, cursor).await?;
                    store::drop_other_generations(tx, *generation).await?;
                    Ok::<_, Error>(marked)
                })
            })
            .await?;
        tracing::info!(generation, marked, "mirror switched to a fresh generation");
        // All of it is new to the planner.
        self.parts.runner.db().analyze().await?;
        self.parts.runner.committed().notify_waiters();
        Ok(())
    }

    /// Applies a batch and judges whom it touched; the cursor moves with it, or after the last of its lanes. A lane that was
    /// applied before something broke off is applied again, and then changes nothing: its versions are known.
    async fn apply(&self, from: &Cursor, to: &Cursor, records: &[pb::Record]) -> Result<bool, Error> {
        let mut lanes = Batch::of(records)?.lanes(self.lanes(records.len()));
        let mut last = Batch::default();
        if lanes.len() == 1 {
            last = lanes.remove(0);
        }
        let beside = (0..).zip(lanes).map(|(lane, batch)| self.apply_part(from, to, batch, Step::Lane(lane)));
        let beside = future::try_join_all(beside).await?;
        let applied = beside.into_iter().all(|applied| applied) && self.apply_part(from, to, last, Step::Last).await?;
        metrics::counter!("xuezhu_feed_records_total").increment(records.len() as u64);
        Ok(applied)
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

impl AidMirror {
    /// In how many lanes a batch is applied. On SQLite, which has one writer, more would wait for each other.
    fn lanes(&self, records: usize) -> usize {
        if self.parts.runner.db().is_sqlite() { 1 } else { (records / self.lane_records.max(1)).clamp(1, LANES) }
    }

    /// Applies a part and judges whom it touched, in one transaction. Returns `false`, and does nothing, where the cursor does
    /// not stand where the follower thinks.
    async fn apply_part(&self, from: &Cursor, to: &Cursor, part: Batch, step: Step) -> Result<bool, Error> {
        let with = (self.parts.clone(), self.parts.runner.system_context(), from.clone(), to.clone(), part, step);
        self.parts
            .runner
            .db()
            .write(&with, |tx, (parts, ctx, from, to, part, step)| {
                Box::pin(async move {
                    let mirror = match step {
                        Step::Lane(lane) => store::enter_lane(tx, *lane, from, to).await?,
                        Step::Last => store::move_cursor(tx, from, to).await?,
                    };
                    let Some(mirror) = mirror else { return Ok(false) };
                    let touched = part.clone().write(tx, mirror.generation).await?;
                    reconciliation::judge_keys_at(ctx, tx, parts, &mirror, &touched, "feed").await?;
                    Ok::<_, Error>(true)
                })
            })
            .await
    }
}

/// Of two followers who load at once, the later goes on: it threw away what the earlier had loaded.
fn only_loader(state: &store::StateRow, generation: i64) -> Result<(), Error> {
    if state.last_generation == generation { Ok(()) } else { Err(Error::Internal("another follower of this mirror has begun a newer generation".into())) }
}
