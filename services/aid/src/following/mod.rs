//! The follower's end: what aid makes of what enrollment says, each batch in one transaction: rows of the mirror, what was forgotten and is
//! said again, whom it touches judged. At a switch of generations, what the source forgot is kept, and whoever differs is marked.

use std::sync::Arc;

use tracing::Instrument;
use uuid::Uuid;
use xuezhu_bridge::{
    follower::{Forgot, Stand},
    keeping::{Consumer, Keeper, State},
};
use xuezhu_proto::bridge as pb;
use xuezhu_service::{Error, trace::CALLS};
use xuezhu_store::Tx;

use crate::{
    Parts, forgotten,
    mirror::{self, doubts::Doubts, rows::Batch, told},
    reconciliation,
};

/// What aid makes of what enrollment says.
#[derive(Debug, Clone)]
pub struct Enrollments {
    parts: Arc<Parts>,
}

/// Keeps the mirror. A batch is applied in one transaction unless each of two would get so many records.
pub fn keeper(parts: Arc<Parts>, lane_records: usize) -> Keeper<Enrollments> {
    Keeper::new(parts.runner.db().clone(), mirror::SOURCE, lane_records, Enrollments { parts })
}

impl Consumer for Enrollments {
    type Part = Batch;

    fn parts(&self, records: &[pb::Record], most: usize) -> Result<Vec<Batch>, Error> {
        Ok(Batch::of(records)?.lanes(most))
    }

    async fn apply(&self, tx: &mut Tx, at: &State, part: Batch) -> Result<(), Error> {
        if part.is_empty() {
            return Ok(());
        }
        let ctx = self.parts.runner.system_context();
        let moving = if self.parts.policies.now().tells_schools_apart() { part.moving(tx, at.generation).await? } else { Vec::new() };
        if !moving.is_empty() {
            // Nobody is judged beside this by what the school was: their marks would be missing, or struck out.
            mirror::locked_state(tx).await?;
        }
        let touched = part.write(tx, at.generation, at.format).await?;
        reconciliation::mark_schools(tx, at.generation, &moving).await?;
        forgotten::settle(&ctx, tx, at.generation, Some(&touched)).await?;
        let judged = reconciliation::judge_keys_at(&ctx, tx, &self.parts, at, &touched, "feed");
        let judged = judged.instrument(tracing::error_span!("judge", keys = touched.len())).await?;
        tracing::debug!(target: CALLS, judged, "applied and judged");
        Ok(())
    }

    async fn load(&self, tx: &mut Tx, generation: i64, format: i32, records: &[pb::Record]) -> Result<(), Error> {
        Batch::of(records)?.write(tx, generation, format).await.map(drop)
    }

    async fn differences(&self, tx: &mut Tx, old: i64, new: i64) -> Result<Vec<(Uuid, i64)>, Error> {
        Ok(Doubts::between(tx, old, new).await?.changes())
    }

    /// Marks everyone who differs; they are judged in chunks after it. What the source forgot is kept.
    async fn switch(&self, tx: &mut Tx, from: &State, generation: i64, at: &Stand, forgot: &Forgot) -> Result<u64, Error> {
        let ctx = self.parts.runner.system_context();
        let same_scope = from.scope == at.cursor.scope;
        let lost = Doubts::between(tx, from.generation, generation).await?.lost(forgot, same_scope);
        let lost = told::of(tx, from.generation, &lost.persons, &lost.enrollments, &lost.schools).await?;
        forgotten::keep(&ctx, tx, lost).await?;
        let marked = reconciliation::mark_differences(tx, from.generation, generation).await?;
        let moved = if self.parts.policies.now().tells_schools_apart() { mirror::moved(tx, from.generation, generation).await? } else { Vec::new() };
        let marked = marked + reconciliation::mark_schools(tx, generation, &moved).await?;
        reconciliation::carry_subjects(tx, mirror::SOURCE, from.generation, generation).await?;
        forgotten::settle(&ctx, tx, generation, None).await?;
        Ok(marked)
    }

    async fn drop_others(&self, tx: &mut Tx, generation: i64) -> Result<(), Error> {
        Ok(mirror::drop_others(tx, generation).await?)
    }

    fn switched(&self) {
        self.parts.runner.committed().notify_waiters();
    }
}
