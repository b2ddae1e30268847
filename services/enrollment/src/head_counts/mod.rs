//! How many students a school has, counted from the roll's own tables: every night of all schools, and when somebody asks. The count goes over
//! the feed with the position up to which it is of all changes, so that whoever follows can tell whether the own records come to the same.
//!
//! A count is read at one moment: of a school of which no change waits for its position, everything committed then has been told up to the
//! head that is read with it, and nothing after.

pub mod api;
mod store;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{Datelike, NaiveDate};
use tokio_util::sync::CancellationToken;
use xuezhu_bridge::{Shared, epoch_day, log::school_id, publish, sequencer::settled_at};
use xuezhu_domain::enrollment::State;
use xuezhu_proto::bridge::{self as feed, record::Body};
use xuezhu_service::{Context, Error, faults::Faults};
use xuezhu_store::Tx;

use self::store::NewCount;
use crate::Parts;

/// How often is looked whether a day has begun.
const LOOK: Duration = Duration::from_secs(5);
/// How soon is looked again where changes wait.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is tried at once to count schools of which changes wait, before it is said that the feed is behind.
const TRIES: u32 = 60;
/// Schools that are counted at once.
const SCHOOLS: i64 = 50;

/// Counts of those of these schools of which no change waits, as of one moment.
async fn count(tx: &mut Tx, schools: &[&str], day: NaiveDate) -> Result<Vec<(String, feed::HeadCount)>, Error> {
    let waiting = store::waiting(tx, schools).await?;
    let (history, position) = settled_at(tx).await?;
    let mut counts: BTreeMap<String, (String, feed::HeadCount)> = BTreeMap::new();
    for (school, region) in store::regions(tx, schools).await?.into_iter().filter(|(school, _)| !waiting.contains(school)) {
        let count =
            feed::HeadCount { school: school.clone(), day: epoch_day(day), position, history: history.as_bytes().to_vec(), ..feed::HeadCount::default() };
        counts.insert(school, (region, count));
    }
    for (school, records, versions) in store::shared(tx, schools).await? {
        if let Some((_, count)) = counts.get_mut(&school) {
            (count.records, count.versions) = (records, versions);
        }
    }
    let mut groups: BTreeMap<(String, i32, String), feed::HeadCountGroup> = BTreeMap::new();
    for row in store::counted(tx, schools, day).await? {
        let entry_year = row.entry_date.year();
        let group = groups.entry((row.school, entry_year, row.major.clone())).or_insert_with(|| feed::HeadCountGroup {
            entry_year,
            major: row.major,
            ..feed::HeadCountGroup::default()
        });
        *(if row.state == State::InSchool.code() { &mut group.in_school } else { &mut group.on_leave }) += row.students;
    }
    for ((school, ..), group) in groups {
        if let Some((_, count)) = counts.get_mut(&school) {
            count.groups.push(group);
        }
    }
    Ok(counts.into_values().collect())
}

/// Tells what was counted. Whoever tells of a school at the same time waits, and an older count than another told is not told after it.
async fn tell(ctx: &Context, tx: &mut Tx, counts: &[(String, feed::HeadCount)], day: NaiveDate) -> Result<(), Error> {
    let noted: Vec<NewCount> = counts.iter().map(|(_, count)| NewCount { school: count.school.clone(), position: count.position }).collect();
    let noted = store::note(tx, &noted, day).await?;
    let newest = counts.iter().filter(|(_, count)| noted.contains(&count.school));
    let shared = newest.map(|(region, count)| Shared { id: school_id(&count.school), scope: region.clone(), body: Body::HeadCount(count.clone()) });
    publish(ctx, tx, &shared.collect::<Vec<_>>()).await
}

/// Counts all schools once for each day, until told to stop.
pub async fn keep(parts: Arc<Parts>, stop: CancellationToken) {
    let mut faults = Faults::new("head counts", LOOK, LOOK);
    let mut tries = 0;
    loop {
        let wait = match night(&parts).await {
            Ok(0) => {
                faults.over();
                tries = 0;
                LOOK
            }
            // Of these, changes waited: mostly for a moment.
            Ok(left) if tries < TRIES => {
                tracing::debug!(left, "schools of which changes wait are counted a little later");
                tries += 1;
                AGAIN
            }
            Ok(left) => faults.note(&format!("the feed is behind: {left} schools are not counted yet")),
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Counts every school that was not counted for today, where a day has begun since all were; returns how many could not be.
async fn night(parts: &Arc<Parts>) -> Result<usize, Error> {
    let ctx = parts.runner.system_context();
    let day = ctx.today();
    let mut tx = parts.runner.db().read().await?;
    let through = store::counted_through(&mut tx).await?;
    tx.rollback().await?;
    if through.is_some_and(|through| through >= day) {
        // Another process may have counted the rest.
        metrics::gauge!("xuezhu_head_counts_waiting").set(0.0);
        return Ok(0);
    }
    let (mut after, mut left) = (String::new(), 0);
    loop {
        let mut tx = parts.runner.db().read().await?;
        let schools = store::uncounted(&mut tx, day, &after, SCHOOLS).await?;
        let codes: Vec<&str> = schools.iter().map(String::as_str).collect();
        let counts = if codes.is_empty() { Vec::new() } else { count(&mut tx, &codes, day).await? };
        tx.rollback().await?;
        let Some(last) = schools.last() else { break };
        after.clone_from(last);
        left += schools.len() - counts.len();
        let told = (ctx.clone(), counts, day);
        parts.runner.db().write(&told, |tx, (ctx, counts, day)| Box::pin(tell(ctx, tx, counts, *day))).await?;
        parts.runner.committed().notify_waiters();
    }
    if left == 0 {
        parts.runner.db().write(&day, |tx, day| Box::pin(async move { store::note_round(tx, *day).await.map_err(Error::from) })).await?;
    }
    metrics::gauge!("xuezhu_head_counts_waiting").set(f64::from(u32::try_from(left).unwrap_or(u32::MAX)));
    Ok(left)
}
