//! Lists and entries as clients are told of them: what stands on a list, where it waits, what holds of it.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_judge::{
    entry::State,
    policy::{Paid, SchemeCode, file::NoticeOrder},
    rules::holder,
};
use xuezhu_proto::{
    aid::{self as pb, award_entry, award_list},
    common::dossier_step,
};
use xuezhu_review::{Dossier, told as review_told, way::Seat};
use xuezhu_service::{Context, Error, Permission, Reach, Reason, refusal};
use xuezhu_store::Tx;

use super::{
    candidates::place_of,
    corrections, edit, limits,
    locks::{self, Stands},
    rounds::{self, Way},
    store::{self, EntryRow, HeldRow, ListRow, StandingRow},
    units::{self, Holds},
};
use crate::{Parts, forgotten, mirror, notice, policy::scheme_told, reconciliation};

/// Whom an entry means, and in which class they are at the school when it begins; empty where in none.
#[derive(Debug, Clone, Default)]
pub(super) struct Meant {
    pub person: Uuid,
    pub class_name: String,
    /// Catalogue and code of the major.
    pub major: String,
    /// First day at the school.
    pub entry: Option<NaiveDate>,
    is_of_school: bool,
}

/// Whom entries mean.
async fn meant(tx: &mut Tx, keys: &[Uuid], school: &str) -> Result<HashMap<Uuid, Meant>, Error> {
    let generation = mirror::state(tx).await?.generation;
    let mut meant = HashMap::new();
    for case in reconciliation::cases(tx, generation, keys).await? {
        for claim in &case.claims {
            let Some(person) = holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day) else { continue };
            let place = place_of(&case, person, school, &claim.months);
            let (class_name, major) = place.map(|(_, span)| (span.state.class_name.clone(), span.state.major.clone())).unwrap_or_default();
            let entry = place.map(|(enrollment, _)| enrollment.entry_date);
            let is_of_school = case.enrollments.iter().any(|enrollment| enrollment.school == school && enrollment.person == Some(person.person));
            meant.insert(claim.entry, Meant { person: person.person, class_name, major, entry, is_of_school });
        }
    }
    Ok(meant)
}

/// Whom entries mean, as far as the caller may know: a school knows its own students, present and former, and learns
/// nothing about a number by listing it.
pub(super) async fn known(ctx: &Context, tx: &mut Tx, rows: &[EntryRow], school: &str) -> Result<HashMap<Uuid, Meant>, Error> {
    let own_school = ctx.actor.role.is_of_school();
    let keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
    let mut known = meant(tx, &keys, school).await?;
    known.retain(|_, meant| !own_school || meant.is_of_school);
    Ok(known)
}

/// Whom entries mean at the school.
pub(super) async fn places(tx: &mut Tx, rows: &[&EntryRow], school: &str) -> Result<HashMap<Uuid, Meant>, Error> {
    let keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
    meant(tx, &keys, school).await
}

/// An entry as it is told.
pub(super) fn entry(ctx: &Context, parts: &Parts, row: EntryRow, meant: Option<Meant>, flags: Vec<(pb::FlagBrief, bool)>, holds: Holds) -> pb::AwardEntry {
    let etag = edit::etag(&row);
    let (person, class_name) = meant.map(|meant| (meant.person.to_string(), meant.class_name)).unwrap_or_default();
    pb::AwardEntry {
        entry: row.entry.to_string(),
        etag,
        person,
        class_name,
        name: row.name,
        id_number: super::shown_number(ctx, parts, row.entry, &row.id_sealed),
        months: super::month_numbers(&row.months),
        amount_fen: row.amount_fen,
        tier: row.tier,
        state: award_entry::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        held: flags.iter().any(|(_, holds)| *holds),
        flags: flags.into_iter().map(|(flag, _)| flag).collect(),
        card: row.card_sealed.as_deref().map(|sealed| parts.keyring.masked("card", &[row.entry], sealed)).unwrap_or_default(),
        card_holder: row.card_holder,
        remark: row.remark,
        sent_back_reason: row.sent_back_reason,
        source_forgot: false,
        birth_date: String::new(),
        birth_year: row.birth_date.map(|day| day.year()).unwrap_or_default(),
        standing_months: holds.months,
        standing_fen: holds.fen,
        refusal: holds.refusal.map(|reason| reason.as_str_name().to_owned()).unwrap_or_default(),
        refusal_message: holds.message,
        stopping_months: holds.stopping,
        corrections: Vec::new(),
        from_roll: row.id_sealed.is_empty(),
        payable_date: String::new(),
        objected: false,
    }
}

/// An entry for whoever calls: who pays sees names, months, amounts and states, and whether something is held; not what is known of the
/// student, nor what was said of a flag, a return or a correction.
pub(super) fn as_seen(ctx: &Context, mut entry: pb::AwardEntry) -> pb::AwardEntry {
    if ctx.reach(Permission::ReadSchool) == Reach::Nowhere {
        entry.flags.clear();
        entry.corrections.clear();
        entry.birth_year = 0;
        entry.source_forgot = false;
        for said in [
            &mut entry.person,
            &mut entry.class_name,
            &mut entry.card_holder,
            &mut entry.remark,
            &mut entry.sent_back_reason,
            &mut entry.refusal,
            &mut entry.refusal_message,
        ] {
            said.clear();
        }
    }
    entry
}

/// Entries of a list as whoever calls is told of them.
pub(super) async fn entries(ctx: &Context, tx: &mut Tx, parts: &Parts, list: &ListRow, rows: Vec<EntryRow>) -> Result<Vec<pb::AwardEntry>, Error> {
    let mut flags: HashMap<Uuid, Vec<(pb::FlagBrief, bool)>> = HashMap::new();
    for row in reconciliation::flags_of_list(tx, list.list).await? {
        let brief = pb::FlagBrief { flag: row.flag.to_string(), rule: row.rule.as_str().to_owned(), state: row.state.as_str().to_owned() };
        flags.entry(row.entry).or_default().push((brief, row.holds));
    }
    // In the order of the rules' words.
    for of_entry in flags.values_mut() {
        of_entry.sort_by(|(a, _), (b, _)| a.rule.cmp(&b.rule));
    }
    let mut known = known(ctx, tx, &rows, &list.school).await?;
    let concerned = forgotten::concerned(tx, &[list.list]).await?;
    let mut corrected = corrections::of_entries(tx, &parts.policies.now(), &rows.iter().map(|row| row.entry).collect::<Vec<_>>()).await?;
    let mut holds = units::of_entries(tx, &parts.policies.now(), list, &rows).await?;
    let exceeding = limits::exceeding(tx, parts, list, &rows).await?;
    let after_audit = rounds::notice_of(parts, list).is_some_and(|asked| asked.order == NoticeOrder::AfterAudit);
    let payable = if after_audit { notice::payable(tx, list.list).await? } else { HashMap::new() };
    let entries = rows
        .into_iter()
        .map(|row| {
            let flags = flags.remove(&row.entry).unwrap_or_default();
            let meant = known.remove(&row.entry);
            let source_forgot = concerned.contains(&row.entry);
            let mut holds = holds.remove(&row.entry).unwrap_or_default();
            if holds.refusal.is_none() && exceeding.contains(&row.entry) {
                holds.refusal = Some(Reason::QuotaFull);
                refusal::chinese(Reason::QuotaFull).clone_into(&mut holds.message);
            }
            let corrections = corrected.remove(&row.entry).unwrap_or_default();
            let shown = payable.get(&row.entry).copied();
            let payable_date = shown.flatten().map(|day| day.to_string()).unwrap_or_default();
            let objected = shown.is_some_and(|day| day.is_none());
            pb::AwardEntry { source_forgot, corrections, payable_date, objected, ..entry(ctx, parts, row, meant, flags, holds) }
        })
        .map(|entry| as_seen(ctx, entry))
        .collect();
    Ok(entries)
}

/// A list as it is told.
pub(super) async fn list(tx: &mut Tx, parts: &Parts, row: ListRow) -> Result<pb::AwardList, Error> {
    lists(tx, parts, vec![row]).await?.pop().ok_or_else(|| Error::Internal("a list that is told".into()))
}

/// What is known of a list beside its row.
#[derive(Default)]
struct Known {
    way: Way,
    standing: Vec<StandingRow>,
    held: Vec<HeldRow>,
    standing_fen: i64,
    /// Attested entries whose approval waits because enrollment forgot what it said of them.
    concerned: HashSet<Uuid>,
    /// Attested entries that were not approved because the student has a month of theirs already.
    taken: HashSet<Uuid>,
}

impl Known {
    fn attested(&self) -> impl Iterator<Item = &StandingRow> {
        self.standing.iter().filter(|entry| entry.state == State::Attested)
    }
}

/// Lists as they are told: what stands on them is read for all at once.
pub(super) async fn lists(tx: &mut Tx, parts: &Parts, rows: Vec<ListRow>) -> Result<Vec<pb::AwardList>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.list).collect();
    let mut known: HashMap<Uuid, Known> = HashMap::new();
    for (list, way) in rounds::ways(tx, &ids).await? {
        known.entry(list).or_default().way = way;
    }
    for row in store::standing(tx, &ids).await? {
        known.entry(row.list).or_default().standing.push(row);
    }
    for row in store::held(tx, &ids).await? {
        known.entry(row.list).or_default().held.push(row);
    }
    for (list, fen) in units::standing_fen(tx, &ids).await? {
        known.entry(list).or_default().standing_fen = fen;
    }
    let attested: Vec<Uuid> = known.iter().filter(|(_, known)| known.attested().next().is_some()).map(|(list, _)| *list).collect();
    let (mut concerned, mut taken, mut by_flags) = (HashSet::new(), HashSet::new(), HashSet::new());
    if !attested.is_empty() {
        concerned = forgotten::concerned(tx, &attested).await?;
        if !concerned.is_empty() {
            by_flags = reconciliation::held_entries(tx, &attested).await?.into_iter().collect();
        }
        taken = units::taken_attested(tx, &attested).await?;
    }
    let mut told = Vec::with_capacity(rows.len());
    for row in rows {
        let mut known = known.remove(&row.list).unwrap_or_default();
        let own: HashSet<Uuid> = known.attested().map(|entry| entry.entry).collect();
        // Whom a flag holds waits for that first.
        known.concerned = own.iter().filter(|entry| concerned.contains(*entry) && !by_flags.contains(*entry)).copied().collect();
        known.taken = own.intersection(&taken).copied().collect();
        let lock = locks::stands(tx, parts, locks::Of::list(&row), parts.runner.clock().today()).await?;
        told.push(self::told(parts, row, known, lock));
    }
    Ok(told)
}

fn told(parts: &Parts, row: ListRow, known: Known, lock: Stands) -> pb::AwardList {
    let Known { way, standing, held, standing_fen, concerned, taken } = known;
    let held_attested: i64 = held.iter().filter(|row| row.state == State::Attested).map(|row| row.entries).sum();
    let held: i64 = held.iter().map(|row| row.entries).sum();
    let forgotten_attested = i32::try_from(concerned.len()).unwrap_or(i32::MAX);
    let taken_attested = i32::try_from(taken.difference(&concerned).count()).unwrap_or(i32::MAX);
    let count = |state: State| i32::try_from(standing.iter().filter(|entry| entry.state == state).count()).unwrap_or(i32::MAX);
    let policies = parts.policies.now();
    let scheme = scheme_told(&policies, &row.scheme);
    let announces = rounds::notice_of(parts, &row).is_some();
    let limited = limits::limits(parts, &row);
    let lock_date = locks::last_day(parts, locks::Of::list(&row)).map(|day| day.to_string()).unwrap_or_default();
    let by_month = SchemeCode::parse(&row.scheme).and_then(|code| policies.paid(code)) == Some(Paid::Month);
    let due_date = super::due(parts, &row).map(|due| due.to_string()).unwrap_or_default();
    pb::AwardList {
        list: row.list.to_string(),
        school: row.school,
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        by_month,
        announces,
        limited,
        lock_date,
        locked: matches!(lock, Stands::Locked(_)),
        reopened_date: if let Stands::Reopened(until) = lock { until.to_string() } else { String::new() },
        policy_version: row.policy,
        term: row.term,
        supplement: row.supplement,
        state: award_list::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        digest: rounds::digest(&standing),
        drafts: count(State::Draft),
        submitted: count(State::Submitted),
        attested: count(State::Attested),
        approved: count(State::Approved),
        sent_back: count(State::SentBack),
        held: i32::try_from(held).unwrap_or(i32::MAX),
        held_attested: i32::try_from(held_attested).unwrap_or(i32::MAX),
        closed_to_new: row.submitted,
        forgotten_attested,
        amount_fen: standing.iter().filter(|entry| entry.state != State::SentBack).map(|entry| entry.amount_fen).sum(),
        standing_fen,
        taken_attested,
        due_date,
        step: way.open.first().map_or(0, |round| round.step),
        waits_at: way.open.first().and_then(Dossier::seat).map(|seat| seat.name()).unwrap_or_default(),
        waits_whose: way.open.first().and_then(Dossier::seat).as_ref().map_or(dossier_step::Whose::Unspecified, review_told::whose).into(),
        waits_authority: way.open.first().and_then(Dossier::seat).as_ref().and_then(Seat::region).unwrap_or_default().to_owned(),
        waiting_authorities: authorities(&way.open),
        dossiers: way.open.iter().map(|round| round.dossier.to_string()).collect(),
        submitted_by: way.submitted_by,
        attested_by: way.attested_by,
        approved_by: way.approved_by,
        school_name: row.school_name,
        authority: row.authority,
        submitted_date: way.submitted_day.map(|day| day.to_string()).unwrap_or_default(),
        attested_date: way.attested_day.map(|day| day.to_string()).unwrap_or_default(),
    }
}

/// Departments at which rounds wait.
fn authorities(rounds: &[Dossier]) -> Vec<String> {
    let mut authorities: Vec<String> = rounds
        .iter()
        .filter_map(|round| match round.seat() {
            Some(Seat::Department(region)) => Some(region),
            _ => None,
        })
        .collect();
    authorities.sort();
    authorities.dedup();
    authorities
}
