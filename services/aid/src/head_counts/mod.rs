//! What enrollment counted of a school, compared with what the mirror holds at the position of the count: whether both have the same students.
//! The judge of it is [`xuezhu_judge::heads`]; what it finds is a flag of the school as a whole.

pub mod api;
mod store;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::Datelike;
use tokio_util::sync::CancellationToken;
use xuezhu_bridge::keeping::State;
use xuezhu_domain::{Term, codes, enrollment::PeriodState};
use xuezhu_judge::heads::{Compared, Group, Heads, Outcome, Records, Sides, beside};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Error, faults::Faults};
use xuezhu_store::{StoreError, Tx};

use self::store::CountRow;
use crate::{Parts, mirror, reconciliation};

/// How often is looked whether something was counted.
const LOOK: Duration = Duration::from_secs(1);
/// Longest wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(60);
/// Schools that are looked for at once.
const SCHOOLS: i64 = 100;

/// The last count of a school, beside what the mirror holds; `None` where none was told.
async fn compared(tx: &mut Tx, mirror: &State, school: &str) -> Result<Option<(CountRow, Sides)>, Error> {
    let Some(row) = store::count(tx, mirror.generation, school).await? else { return Ok(None) };
    let counted: Vec<Group> = serde_json::from_str(&row.groups).map_err(|_| StoreError::Corrupt("groups of a head count"))?;
    let mut groups: BTreeMap<(i32, String), Heads> = BTreeMap::new();
    for (entered, major, state, students) in store::counted(tx, mirror.generation, school, row.day).await? {
        let heads = groups.entry((entered.year(), major)).or_default();
        *(if state == PeriodState::InSchool.code() { &mut heads.in_school } else { &mut heads.on_leave }) += students;
    }
    let own: Vec<Group> = groups.into_iter().map(|((entry_year, major), heads)| Group { entry_year, major, heads }).collect();
    let (records, versions) = store::held(tx, mirror.generation, school).await?;
    let sides = Sides {
        counted_at: row.position,
        // Of another history nothing can be compared: the next count tells of this one.
        heard_to: if mirror.history == Some(row.history) { mirror.position } else { -1 },
        counted: Records { records: row.records, versions: row.versions },
        held: Records { records, versions },
        groups: beside(&counted, &own),
    };
    Ok(Some((row, sides)))
}

/// Compares what was counted and not compared yet. `seen` is where the mirror stood when there was nothing left: as long as it stands there,
/// nothing is looked for.
async fn compare(parts: &Arc<Parts>, seen: &mut Option<(i64, i64)>) -> Result<(), Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    if *seen == Some((mirror.generation, mirror.position)) {
        return Ok(tx.rollback().await?);
    }
    let schools = store::uncompared(&mut tx, mirror.generation, mirror.history, mirror.position, SCHOOLS).await?;
    tx.rollback().await?;
    for school in &schools {
        settle(parts, school).await?;
    }
    *seen = schools.is_empty().then_some((mirror.generation, mirror.position));
    Ok(())
}

/// Compares a school's count, and opens or closes its flag. Both are read at one moment, before anything is written: what comes in between
/// makes the count no less true.
async fn settle(parts: &Arc<Parts>, school: &str) -> Result<(), Error> {
    let ctx = parts.runner.system_context();
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let compared = compared(&mut tx, &mirror, school).await?;
    tx.rollback().await?;
    let Some((row, sides)) = compared else { return Ok(()) };
    let outcome = sides.outcome();
    let with = (parts.clone(), ctx, mirror, row, sides, outcome);
    parts
        .runner
        .db()
        .write(&with, |tx, (parts, ctx, mirror, row, sides, outcome)| {
            Box::pin(async move {
                if matches!(outcome, Outcome::Agrees | Outcome::Differs) {
                    let finding = sides.finding(&row.school, Term::of(row.day));
                    reconciliation::settle_school(ctx, tx, parts, mirror, &row.school, finding).await?;
                }
                if *outcome != Outcome::Behind {
                    store::note(tx, &row.school, mirror.generation, row.version, *outcome, ctx.now_us()).await?;
                }
                Ok::<(), Error>(())
            })
        })
        .await?;
    if outcome == Outcome::Differs {
        tracing::error!(school, "enrollment counts other students of the school than are held here");
    }
    Ok(())
}

/// Schools by how their last counts compared.
pub(crate) async fn outcomes(tx: &mut Tx) -> Result<Vec<(Outcome, i64)>, StoreError> {
    let counted = store::outcomes(tx).await?;
    let of = |outcome: Outcome| counted.iter().find(|(code, _)| *code == outcome.code()).map_or(0, |(_, schools)| *schools);
    Ok(Outcome::ALL.map(|outcome| (outcome, of(outcome))).to_vec())
}

/// Compares counts as they come, until told to stop.
pub async fn keep(parts: Arc<Parts>, stop: CancellationToken) {
    let mut faults = Faults::new("head counts", LOOK, LAST_WAIT);
    let mut seen = None;
    loop {
        let wait = match compare(&parts, &mut seen).await {
            Ok(()) => {
                faults.over();
                LOOK
            }
            Err(error) => faults.note(&error),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Two counts of one year of entry and one major.
pub(crate) fn heads(group: &Compared) -> pb::ComparedHeads {
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    pb::ComparedHeads {
        entry_year: group.entry_year,
        major: group.major.clone(),
        major_name: codes::major_of_key(&group.major).map_or("", |major| major.name).to_owned(),
        in_school: small(group.source.in_school),
        on_leave: small(group.source.on_leave),
        aid_in_school: small(group.mirror.in_school),
        aid_on_leave: small(group.mirror.on_leave),
    }
}
