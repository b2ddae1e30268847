//! Who of a list is let in where its policy lets in only so many: the hardest levels first, then as they were entered. Before approval that is
//! looked at ahead, for the principal and the department to see; approval itself decides, one at a time under each limit.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::Term;
use xuezhu_judge::{
    case::{Excess, Rule, SchoolSide},
    entry::State,
    policy::SchemeCode,
    rules::standing_in,
};
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use super::{
    store::{self, EntryRow, ListRow},
    units,
};
use crate::{
    Parts, mirror,
    quota::{
        self, Of,
        rules::{Seeking, in_order},
    },
    reconciliation::{self, judge_keys},
};

/// What limits are asked of a list.
fn of(list: &ListRow) -> Result<Of<'_>, Error> {
    let scheme = SchemeCode::parse(&list.scheme).ok_or(StoreError::Corrupt("scheme"))?;
    let term: Term = list.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    Ok(Of { school: &list.school, region: &list.region, scheme, term, policy: list.policy })
}

/// Entries of a list that flags hold, whether there is room for them or not, and those of whom it is not known yet: marked to be judged again.
pub(super) async fn held_otherwise(tx: &mut Tx, list: Uuid) -> Result<HashSet<Uuid>, Error> {
    let flags = reconciliation::flags_of_list(tx, list).await?;
    let by_flags = flags.into_iter().filter(|flag| flag.holds && flag.rule != Rule::OverQuota).map(|flag| flag.entry);
    Ok(by_flags.chain(reconciliation::marked_entries(tx, list).await?).collect())
}

/// Those of these who are to be let in, in order: they come as the list shows them.
async fn seeking(tx: &mut Tx, parts: &Parts, list: &ListRow, rows: &[&EntryRow]) -> Result<Vec<Seeking>, Error> {
    let generation = mirror::state(tx).await?.generation;
    let policies = parts.policies.now();
    let levels = policies.version(list.policy).hardship().map_or(&[][..], |hardship| &hardship.levels);
    let places: HashMap<Uuid, usize> = rows.iter().enumerate().map(|(place, row)| (row.entry, place)).collect();
    let keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
    let keys = reconciliation::keys_beside(tx, generation, &keys).await?;
    let mut seeking = Vec::with_capacity(rows.len());
    for mut case in reconciliation::cases(tx, generation, &keys).await? {
        case.schools.insert(list.school.clone(), SchoolSide { region: list.region.clone(), is_private: mirror::is_private(&list.kind) });
        for (claim, place) in case.claims.iter().filter_map(|claim| Some((claim, *places.get(&claim.entry)?))) {
            let stands = standing_in(&case, &policies, claim);
            let of = |level: &str| levels.iter().position(|known| known == level).unwrap_or(levels.len());
            seeking.push(match stands {
                Some(stands) => Seeking { entry: claim.entry, grade: stands.grade, level: of(&stands.level), grounds: stands.grounds, place },
                None => Seeking { entry: claim.entry, grade: 0, level: levels.len(), grounds: Vec::new(), place },
            });
        }
    }
    in_order(&mut seeking);
    Ok(seeking)
}

/// Whether the policy of a list limits how many are let in.
fn is_limited(parts: &Parts, of: Of<'_>) -> bool {
    !parts.policies.now().version(of.policy).quotas_of(of.scheme, of.term, of.region).is_empty()
}

/// The same of a list that is told.
pub(super) fn limits(parts: &Parts, list: &ListRow) -> bool {
    of(list).is_ok_and(|of| is_limited(parts, of))
}

/// Looks ahead at who of a list would be one too many if it was approved now, and has it judged. Whom another flag holds takes nobody's place.
pub(super) async fn weigh(ctx: &Context, tx: &mut Tx, parts: &Parts, list: &ListRow) -> Result<(), Error> {
    let of = of(list)?;
    if !is_limited(parts, of) {
        return Ok(());
    }
    let rows = store::entries(tx, list.list).await?;
    let held = held_otherwise(tx, list.list).await?;
    let waits = |row: &&EntryRow| matches!(row.state, State::Submitted | State::Attested) && !held.contains(&row.entry);
    let waiting: Vec<&EntryRow> = rows.iter().filter(waits).collect();
    let mut room = quota::room(ctx, tx, parts, of).await?;
    let seeking = seeking(tx, parts, list, &waiting).await?;
    let excess: Vec<(Uuid, Excess)> = seeking.iter().filter_map(|one| Some((one.entry, room.admit(one).err()?))).collect();
    note(ctx, tx, parts, &rows.iter().collect::<Vec<_>>(), &excess).await
}

/// Those of these who were one too many when they were weighed last.
pub(super) async fn exceeding(tx: &mut Tx, parts: &Parts, list: &ListRow, rows: &[EntryRow]) -> Result<HashSet<Uuid>, Error> {
    if !limits(parts, list) {
        return Ok(HashSet::new());
    }
    let waiting = rows.iter().filter(|row| matches!(row.state, State::Submitted | State::Attested));
    Ok(quota::exceeding(tx, &waiting.map(|row| row.entry).collect::<Vec<_>>()).await?)
}

/// Notes who of these is one too many, and has those judged of whom that is new.
async fn note(ctx: &Context, tx: &mut Tx, parts: &Parts, rows: &[&EntryRow], excess: &[(Uuid, Excess)]) -> Result<(), Error> {
    let changed: HashSet<Uuid> = quota::note(tx, &rows.iter().map(|row| row.entry).collect::<Vec<_>>(), excess).await?.into_iter().collect();
    let keys: Vec<Uuid> = rows.iter().filter(|row| changed.contains(&row.entry)).map(|row| row.person_key).collect();
    judge_keys(ctx, tx, parts, &keys, "quota").await?;
    Ok(())
}

/// Approves of entries of a list as many as the limits let in and nobody has a month of; returns those, and who is one too many.
pub(super) async fn approve(
    ctx: &Context,
    tx: &mut Tx,
    parts: &Parts,
    list: &ListRow,
    free: &[&EntryRow],
    keys: (i64, &[Uuid]),
) -> Result<(Vec<Uuid>, HashSet<Uuid>), Error> {
    let of = of(list)?;
    if free.is_empty() || !is_limited(parts, of) {
        return Ok((units::approve(ctx, tx, list, free, keys).await?, HashSet::new()));
    }
    let mut room = quota::locked_room(ctx, tx, parts, of).await?;
    let by_entry: HashMap<Uuid, &EntryRow> = free.iter().map(|row| (row.entry, *row)).collect();
    // Whoever else of the list lies with the department has their place in the order too: their round is signed beside this one, or later.
    let (rows, held) = (store::entries(tx, list.list).await?, held_otherwise(tx, list.list).await?);
    let seeks = |row: &&EntryRow| by_entry.contains_key(&row.entry) || (row.state == State::Attested && !held.contains(&row.entry));
    let mut left = seeking(tx, parts, list, &rows.iter().filter(seeks).collect::<Vec<_>>()).await?;
    let (mut approved, mut excess) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let (mut can, mut cannot) = (Vec::new(), Vec::new());
        for one in left {
            match room.admit(&one) {
                Ok(()) => can.push(one),
                Err(why) => cannot.push((one, why)),
            }
        }
        // Those of another round keep their place for it.
        can.retain(|one| by_entry.contains_key(&one.entry));
        let rows: Vec<&EntryRow> = can.iter().filter_map(|one| by_entry.get(&one.entry).copied()).collect();
        let now: HashSet<Uuid> = units::approve(ctx, tx, list, &rows, keys).await?.into_iter().collect();
        let (taken, refused): (Vec<&Seeking>, Vec<&Seeking>) = can.iter().partition(|one| now.contains(&one.entry));
        quota::take(ctx, tx, of, &taken).await?;
        approved.extend(now);
        if refused.is_empty() {
            excess = cannot.into_iter().map(|(one, why)| (one.entry, why)).filter(|(entry, _)| by_entry.contains_key(entry)).collect();
            break;
        }
        // Whose month somebody has takes no place: it is the next one's.
        for one in refused {
            room.release(one);
        }
        left = cannot.into_iter().map(|(one, _)| one).collect();
    }
    note(ctx, tx, parts, free, &excess).await?;
    Ok((approved, excess.into_iter().map(|(entry, _)| entry).collect()))
}
