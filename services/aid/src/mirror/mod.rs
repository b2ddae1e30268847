//! The follower's end: what enrollment says, by generation; schools to authorise by; how fresh it is.

mod batch;
mod store;
pub mod told;

use std::sync::Arc;

use futures_util::future;
use uuid::Uuid;
use xuezhu_bridge::{
    Cursor, Kind,
    follower::{Forgot, Loading, Mirror, Stand, record_id},
};
use xuezhu_proto::bridge as pb;
use xuezhu_service::{Context, Error, Permission, Place, Refusal};
use xuezhu_store::{StoreError, Tx, counted};

use self::batch::Batch;
pub use self::store::SchoolRow;
// What other capabilities may ask.
pub(crate) use self::store::{StateRow, held_state, school, school_names, state};
use crate::{Parts, forgotten, reconciliation};

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
    async fn stand(&self) -> Result<Option<Stand>, Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let state = store::state(&mut tx).await?;
        tx.rollback().await?;
        let cursor = |history| Cursor { history, scope: state.scope, position: state.position, change: state.change.unwrap_or_default() };
        Ok(state.history.map(|history| Stand { cursor: cursor(history), format: state.format }))
    }

    async fn note_format(&self, format: i32) -> Result<(), Error> {
        self.parts.runner.db().write(&format, |tx, format| Box::pin(async move { store::note_format(tx, *format).await.map_err(Error::from) })).await
    }

    async fn ahead(&self) -> Result<Option<Cursor>, Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let state = store::state(&mut tx).await?;
        let ahead = store::lane_ahead(&mut tx, state.position).await?;
        tx.rollback().await?;
        let at = |history, (position, change)| Cursor { history, scope: state.scope.clone(), position, change };
        Ok(state.history.zip(ahead).map(|(history, ahead)| at(history, ahead)))
    }

    async fn loading(&self) -> Result<Option<Loading>, Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let row = store::loading(&mut tx).await?;
        tx.rollback().await?;
        Ok(row.map(|row| Loading {
            generation: row.generation,
            stand: Stand { cursor: Cursor { history: row.history, scope: row.scope, position: row.position, change: row.change }, format: row.format },
            after: (row.after_kind, row.after_record),
        }))
    }

    async fn begin_generation(&self, at: &Stand) -> Result<i64, Error> {
        self.parts
            .runner
            .db()
            .write(at, |tx, at| {
                Box::pin(async move {
                    // What an attempt before left half loaded serves nobody.
                    let present = store::locked_state(tx).await?.generation;
                    store::drop_other_generations(tx, present).await?;
                    let generation = store::next_generation(tx).await?;
                    store::begin_loading(tx, generation, at).await?;
                    Ok::<_, Error>(generation)
                })
            })
            .await
    }

    async fn give_up_loading(&self) -> Result<(), Error> {
        self.parts.runner.db().write(&(), |tx, ()| Box::pin(async move { store::give_up_loading(tx).await.map_err(Error::from) })).await
    }

    async fn load(&self, generation: i64, records: &[pb::Record]) -> Result<(), Error> {
        let with = (generation, records.to_vec());
        self.parts
            .runner
            .db()
            .write(&with, |tx, (generation, records)| {
                Box::pin(async move {
                    only_loader(&store::held_state(tx).await?, *generation)?;
                    let format = store::loading(tx).await?.map(|loading| loading.format).ok_or(StoreError::Corrupt("mirror that is loaded"))?;
                    Batch::of(records)?.write(tx, *generation, format).await?;
                    if let Some((kind, record)) = last_of(records)? {
                        store::note_loaded(tx, *generation, kind, record).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    async fn in_doubt(&self, generation: i64) -> Result<Vec<(Uuid, i64)>, Error> {
        let mut tx = self.parts.runner.db().read().await?;
        let present = store::state(&mut tx).await?.generation;
        let doubts = Doubts::between(&mut tx, present, generation).await;
        tx.rollback().await?;
        Ok(doubts?.changes())
    }

    /// Makes a generation the present one and marks everyone who differs; they are judged in chunks after it. What the source
    /// forgot is kept.
    async fn switch(&self, generation: i64, at: &Stand, forgot: &Forgot) -> Result<(), Error> {
        let with = (generation, at.clone(), forgot.clone(), self.parts.runner.system_context());
        let marked = self
            .parts
            .runner
            .db()
            .write(&with, |tx, (generation, at, forgot, ctx)| {
                Box::pin(async move {
                    let state = store::locked_state(tx).await?;
                    only_loader(&state, *generation)?;
                    let same_scope = state.scope == at.cursor.scope;
                    let lost = Doubts::between(tx, state.generation, *generation).await?.lost(forgot, same_scope);
                    let lost = told::of(tx, state.generation, &lost.persons, &lost.enrollments, &lost.schools).await?;
                    forgotten::keep(ctx, tx, lost).await?;
                    let marked = store::mark_differences(tx, state.generation, *generation).await?;
                    reconciliation::carry_subjects(tx, store::SOURCE, state.generation, *generation).await?;
                    store::switch(tx, *generation, at).await?;
                    forgotten::settle(ctx, tx, *generation, None).await?;
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
        let applied = self.parts.runner.db().write(&with, |tx, (parts, ctx, from, to, part, step)| {
            Box::pin(async move {
                let mirror = match step {
                    Step::Lane(lane) => store::enter_lane(tx, *lane, from, to).await?,
                    Step::Last => store::move_cursor(tx, from, to).await?,
                };
                let Some(mirror) = mirror else { return Ok(false) };
                let touched = part.clone().write(tx, mirror.generation, mirror.format).await?;
                if mirror.remembers {
                    forgotten::settle(ctx, tx, mirror.generation, Some(&touched)).await?;
                }
                reconciliation::judge_keys_at(ctx, tx, parts, &mirror, &touched, "feed").await?;
                Ok::<_, Error>(true)
            })
        });
        counted("mirror", applied).await
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
    };
    Ok(Some((kind as i32, record_id(last)?)))
}

/// What one generation was told and another was not, as it was.
struct Doubts {
    persons: Vec<store::DoubtRow>,
    enrollments: Vec<store::DoubtRow>,
    schools: Vec<(String, store::DoubtRow)>,
}

/// Records that a source forgot.
#[derive(Default)]
struct Lost {
    persons: Vec<Uuid>,
    enrollments: Vec<Uuid>,
    schools: Vec<String>,
}

impl Doubts {
    async fn between(tx: &mut Tx, old: i64, new: i64) -> Result<Self, Error> {
        let schools = store::schools_in_doubt(tx, old, new).await?.into_iter().map(|(school, change, recorded_at_us, version, version_now, said)| {
            (school, store::DoubtRow { record: Uuid::nil(), change, recorded_at_us, version, version_now, said })
        });
        let schools = schools.collect();
        Ok(Self { persons: store::persons_in_doubt(tx, old, new).await?, enrollments: store::enrollments_in_doubt(tx, old, new).await?, schools })
    }

    /// The changes that the source is asked for.
    fn changes(&self) -> Vec<(Uuid, i64)> {
        let rows = self.persons.iter().chain(&self.enrollments).chain(self.schools.iter().map(|(_, row)| row));
        rows.filter(|row| !row.said).filter_map(|row| row.change.map(|change| (change, row.recorded_at_us))).collect()
    }

    /// What the source forgot.
    fn lost(self, forgot: &Forgot, same_scope: bool) -> Lost {
        let is_lost = |row: &store::DoubtRow| is_lost(row, forgot, same_scope);
        Lost {
            persons: self.persons.iter().filter(|row| is_lost(row)).map(|row| row.record).collect(),
            enrollments: self.enrollments.iter().filter(|row| is_lost(row)).map(|row| row.record).collect(),
            schools: self.schools.into_iter().filter(|(_, row)| is_lost(row)).map(|(school, _)| school).collect(),
        }
    }
}

/// Whether the source forgot what was told here. It says so itself where it can be asked; else what is absent or has gone back
/// is forgotten, unless it may only have left what is followed.
fn is_lost(row: &store::DoubtRow, forgot: &Forgot, same_scope: bool) -> bool {
    if row.said {
        return false;
    }
    match (row.change, forgot) {
        (Some(change), Forgot::Changes(forgot)) => forgot.contains(&change),
        (Some(_), Forgot::CantSay) | (None, _) => match row.version_now {
            Some(now) => now <= row.version,
            None => same_scope,
        },
    }
}

/// Of two followers who load at once, the later goes on: it threw away what the earlier had loaded.
fn only_loader(state: &store::StateRow, generation: i64) -> Result<(), Error> {
    if state.last_generation == generation { Ok(()) } else { Err(Error::Internal("another follower of this mirror has begun a newer generation".into())) }
}
