//! 名额: how many of a school or a region may be given a scheme on some grounds, and how many are. Whoever approves asks here who is let in.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | limits as they stand, letting in, counting |
//! | [`bound`] | who was let in, bound to what acts write of it |
//! | [`rules`] | who is let in, in which order |
//! | `api` | gRPC in |
//!
//! Two who approve under one limit take turns at its gate; how many are let in is counted from who is, each time.

pub mod api;
pub mod bound;
pub mod rules;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_audit::written::Key;
use xuezhu_domain::{RegistryAnswer, Term, region};
use xuezhu_judge::{
    case::Excess,
    policy::{
        Each, Policy, Quota, SchemeCode, School,
        rules::{Facts, grade_in_base},
    },
};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Refusal, paging::Turn};
use xuezhu_store::{Hex, StoreError, Tx};

use self::{
    rules::{Limit, Room, Seeking, grounds_of, grounds_text},
    store::{AlikeRow, At, BaseRow, ExcessRow, PlaceRow},
};
use crate::{
    Parts, forgotten, mirror,
    policy::{self, scheme_told},
};

/// A list that lies under limits: where, of what, by which version of the policy.
#[derive(Debug, Clone, Copy)]
pub struct Of<'l> {
    /// School.
    pub school: &'l str,
    /// Its region.
    pub region: &'l str,
    /// Scheme.
    pub scheme: SchemeCode,
    /// Term.
    pub term: Term,
    /// Version of the policy.
    pub policy: i32,
}

/// What is done about students that were not counted today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// What was counted last is good enough; where nothing was, they are counted for whoever looks.
    Looks,
    /// They are counted and kept.
    Daily,
    /// They are, also where they were today.
    Anew,
}

/// The room under the limits of a list, as it stands, for whoever only looks ahead; what was not counted today is counted.
pub(crate) async fn room(ctx: &Context, tx: &mut Tx, parts: &Parts, of: Of<'_>) -> Result<Room, Error> {
    standing(ctx, tx, parts, of, Counting::Daily).await
}

/// The same, and nobody else is let in under these limits until this is decided.
pub(crate) async fn locked_room(ctx: &Context, tx: &mut Tx, parts: &Parts, of: Of<'_>) -> Result<Room, Error> {
    let policies = parts.policies.now();
    let quotas = policies.version(of.policy).quotas_of(of.scheme, of.term, of.region);
    // The widest first, so that two who need several wait for each other at the first.
    for quota in quotas {
        store::lock(tx, of.scheme.as_str(), &of.term.to_string(), quota.each.of(of.school, of.region)).await?;
    }
    standing(ctx, tx, parts, of, Counting::Daily).await
}

async fn standing(ctx: &Context, tx: &mut Tx, parts: &Parts, of: Of<'_>, counting: Counting) -> Result<Room, Error> {
    let policies = parts.policies.now();
    let policy = policies.version(of.policy);
    let mut limits = Vec::new();
    for quota in policy.quotas_of(of.scheme, of.term, of.region) {
        limits.push(limit(ctx, tx, policy, of, quota, counting).await?);
    }
    Ok(Room { limits })
}

async fn limit(ctx: &Context, tx: &mut Tx, policy: &Policy, of: Of<'_>, quota: &Quota, counting: Counting) -> Result<Limit, Error> {
    let term = of.term.to_string();
    let place = quota.each.of(of.school, of.region);
    let at = At { policy: of.policy, quota: &quota.id, scheme: of.scheme.as_str(), term: &term, place };
    let taken = counting_taken(quota, &store::taken(tx, at.scheme, at.term, place).await?);
    let (bases, counted) = bases(ctx, tx, policy, (of, quota), at, counting).await?;
    Ok(Limit { quota: quota.clone(), place: place.to_owned(), bases, counted, taken })
}

/// How many of those who were let in, by grade and grounds, a limit counts.
fn counting_taken(quota: &Quota, rows: &[(i32, String, i64)]) -> BTreeMap<i32, i64> {
    let mut taken: BTreeMap<i32, i64> = BTreeMap::new();
    for (grade, _, students) in rows.iter().filter(|(_, grounds, _)| quota.counts(&grounds_of(grounds))) {
        *taken.entry(quota.grade(*grade)).or_default() += students;
    }
    taken
}

type Bases = (BTreeMap<i32, i64>, Option<(NaiveDate, NaiveDate)>);

/// Students that a share is of, as they were counted today or are now.
async fn bases(ctx: &Context, tx: &mut Tx, policy: &Policy, (of, quota): (Of<'_>, &Quota), at: At<'_>, counting: Counting) -> Result<Bases, Error> {
    let known = store::bases(tx, at).await?;
    let days = known.first().map(|row| (row.of_day, row.counted_day));
    let is_good = match counting {
        Counting::Looks => days.is_some(),
        Counting::Daily => days.is_some_and(|(_, counted)| counted == ctx.today()),
        Counting::Anew => false,
    };
    if is_good {
        return Ok((known.into_iter().map(|row| (row.grade, row.students)).collect(), days));
    }
    let count_day = policy.days(of.term, of.region).map_or_else(|| of.term.first_day(), |days| days.count_day);
    let days = (count_day.min(ctx.today()), ctx.today());
    let generation = mirror::state(tx).await?.generation;
    let counted = count(policy, of, quota, &store::alike(tx, generation, at.place, days.0).await?);
    if counting != Counting::Looks {
        store::keep_bases(tx, at, &counted.iter().map(|(grade, students)| (*grade, *students)).collect::<Vec<_>>(), days).await?;
    }
    Ok((counted, Some(days)))
}

/// Of whom a share is, by grade, and all under 0.
fn count(policy: &Policy, of: Of<'_>, quota: &Quota, alike: &[AlikeRow]) -> BTreeMap<i32, i64> {
    let mut bases = BTreeMap::from([(0, 0)]);
    for row in alike {
        // Who can't be given it is no part of what a share is of.
        let school = School { code: &row.private_school, region: &row.region, is_private: !row.private_school.is_empty() };
        if !policy.admits(of.scheme, of.term, school) {
            continue;
        }
        let rate = policy.scheme(of.scheme).and_then(|scheme| scheme.rate_in(of.term, &row.region));
        let facts = Facts {
            entry: row.entry_date,
            major: &row.major,
            study_form: &row.study_form,
            household: &row.household,
            residence: &row.residence,
            urban_rural: &row.urban_rural,
            registered_region: &row.registered_region,
            registry: RegistryAnswer::NotAsked,
            hardship: "",
        };
        let Some(grade) = rate.and_then(|rate| grade_in_base(rate, of.term, facts, &quota.base_without)) else { continue };
        for grade in [0, grade] {
            *bases.entry(grade).or_default() += row.students;
        }
    }
    bases
}

/// Keeps who was let in.
pub(crate) async fn take(ctx: &Context, tx: &mut Tx, of: Of<'_>, admitted: &[&Seeking]) -> Result<(), Error> {
    if admitted.is_empty() {
        return Ok(());
    }
    let term = of.term.to_string();
    let place = |seeking: &&Seeking| {
        // Whom no ground lets in takes no place, whatever is limited.
        let grounds = Some(grounds_text(&seeking.grounds)).filter(|grounds| !grounds.is_empty())?;
        let (entry, scheme, school, region) = (Hex(seeking.entry), of.scheme.as_str(), of.school, of.region);
        Some(PlaceRow { entry, scheme, term: &term, school, region, grade: seeking.grade, grounds })
    };
    let places: Vec<PlaceRow> = admitted.iter().filter_map(place).collect();
    ctx.make(&bound::PLACE, places.iter().map(|place| Key::Id(place.entry.0)));
    Ok(store::take(tx, &places).await?)
}

/// Notes who of these is one too many now; returns those of whom it was said otherwise before.
pub(crate) async fn note(tx: &mut Tx, entries: &[Uuid], excess: &[(Uuid, Excess)]) -> Result<Vec<Uuid>, Error> {
    let text = |excess: &Excess| serde_json::to_string(excess).map_err(|error| Error::Internal(error.to_string()));
    let now = excess.iter().map(|(entry, excess)| Ok((*entry, text(excess)?))).collect::<Result<HashMap<_, _>, Error>>()?;
    let before: HashMap<Uuid, String> = store::excess(tx, entries).await?.into_iter().collect();
    let changed: Vec<Uuid> = entries.iter().filter(|entry| before.get(*entry) != now.get(*entry)).copied().collect();
    if changed.is_empty() {
        return Ok(changed);
    }
    store::forget_excess(tx, &changed).await?;
    let rows: Vec<ExcessRow> = changed.iter().filter_map(|entry| Some(ExcessRow { entry: Hex(*entry), excess: now.get(entry)?.clone() })).collect();
    store::note_excess(tx, &rows).await?;
    Ok(changed)
}

/// Those of these who were one too many when they were weighed last.
pub(crate) async fn exceeding(tx: &mut Tx, entries: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
    Ok(store::excess(tx, entries).await?.into_iter().map(|(entry, _)| entry).collect())
}

/// Forgets that these were one too many: they are on no list any more that is to be approved.
pub(crate) async fn forget(tx: &mut Tx, entries: &[Uuid]) -> Result<(), Error> {
    Ok(store::forget_excess(tx, entries).await?)
}

/// What is asked of limits.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub school: String,
    pub scheme: String,
    pub term: String,
    /// Version of the policy; 0 for that by which a list would be opened now.
    pub policy: i32,
}

fn meant(parts: &Parts, asked: &Asked) -> Result<(SchemeCode, Term), Error> {
    let mut errors = FieldErrors::default();
    let meant = policy::asked(&parts.policies.now(), &asked.scheme, &asked.term, &mut errors);
    errors.check()?;
    meant.ok_or_else(|| Error::Internal("a field is missing and not told".into()))
}

/// The limits under which a school's lists lie that are opened now.
async fn of_school(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked, permission: Permission, counting: Counting) -> Result<Vec<pb::Quota>, Error> {
    let school = mirror::school_for(ctx, tx, &asked.school, permission).await?;
    let (scheme, term) = meant(parts, asked)?;
    let policy = if asked.policy > 0 { asked.policy } else { parts.policies.now().of_term(term, ctx.today()).number };
    let of = Of { school: &school.school, region: &school.region, scheme, term, policy };
    let room = standing(ctx, tx, parts, of, counting).await?;
    let names = HashMap::from([(school.school.clone(), school.name.clone())]);
    Ok(room.limits.iter().flat_map(|limit| told(parts, of, limit, &names)).collect())
}

/// What a page of limits goes on behind: place, version, limit.
pub(crate) type After = (String, i32, String);

/// Limits as they stand: those of a school, or those that were counted in the caller's region and at the schools under it.
pub(crate) async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked, turn: &Turn<After>) -> Result<(Vec<pb::Quota>, Option<After>), Error> {
    if !asked.school.is_empty() {
        return Ok((of_school(ctx, tx, parts, asked, Permission::ReadMoney, Counting::Looks).await?, None));
    }
    ctx.may(Permission::ReadMoney, &Place::Region(&ctx.actor.organisation))?;
    let (scheme, term) = meant(parts, asked)?;
    let generation = mirror::state(tx).await?.generation;
    let (of_scheme, of_term) = (scheme.as_str(), term.to_string());
    let (_, prefix) = forgotten::seen(ctx);
    let after = turn.after.clone().unwrap_or_default();
    let rows = store::counted(tx, generation, (of_scheme, &of_term, &prefix), &after, (turn.rows, turn.skip)).await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(0) == turn.rows;
    let last = rows.last().filter(|_| is_full).map(|row| (row.place.clone(), row.policy, row.quota.clone()));
    let names: HashMap<String, String> =
        mirror::schools(tx, rows.iter().map(|row| row.place.as_str())).await?.into_iter().map(|(code, school)| (code, school.name)).collect();
    // However many limits there are, what they count is read at once.
    let places: Vec<String> = rows.iter().map(|row| row.place.clone()).collect();
    let mut bases: HashMap<(i32, String, String), Vec<BaseRow>> = HashMap::new();
    for row in store::bases_of(tx, of_scheme, &of_term, &places).await? {
        bases.entry((row.policy, row.quota, row.place)).or_default().push(row.base);
    }
    let mut taken: HashMap<String, Vec<(i32, String, i64)>> = HashMap::new();
    for (school, region, grade, grounds, students) in store::taken_under(tx, of_scheme, &of_term, &prefix, &places).await? {
        for each in Each::ALL {
            taken.entry(each.of(&school, &region).to_owned()).or_default().push((grade, grounds.clone(), students));
        }
    }
    let policies = parts.policies.now();
    let mut quotas = Vec::new();
    for row in rows {
        let of = Of { school: &row.place, region: &row.region, scheme, term, policy: row.policy };
        // Of a limit that a policy does not have any more nothing is told.
        let Some(quota) = policies.version(row.policy).quotas().iter().find(|quota| quota.id == row.quota) else { continue };
        let taken = counting_taken(quota, taken.get(&row.place).map_or(&[][..], Vec::as_slice));
        let known = bases.remove(&(row.policy, row.quota.clone(), row.place.clone())).unwrap_or_default();
        let counted = known.first().map(|base| (base.of_day, base.counted_day));
        let bases = known.into_iter().map(|base| (base.grade, base.students)).collect();
        quotas.extend(told(parts, of, &Limit { quota: quota.clone(), place: row.place.clone(), bases, counted, taken }, &names));
    }
    Ok((quotas, last))
}

/// Counts anew the students that the shares of a school are of.
pub(crate) async fn recount(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<Vec<pb::Quota>, Error> {
    let quotas = of_school(ctx, tx, parts, asked, Permission::Approve, Counting::Anew).await?;
    if quotas.is_empty() {
        return Err(Refusal::wrong_state("政策对该校这个项目没有规定名额").into());
    }
    Ok(quotas)
}

/// What a place is called.
pub(crate) fn place_name(place: &str, names: &HashMap<String, String>) -> String {
    if let Some(name) = names.get(place) {
        return name.clone();
    }
    region::spans(&format!("{place:0<6}")).last().map_or_else(|| place.to_owned(), |span| span.name.to_owned())
}

fn told(parts: &Parts, of: Of<'_>, limit: &Limit, names: &HashMap<String, String>) -> Vec<pb::Quota> {
    let scheme = scheme_told(&parts.policies.now(), of.scheme.as_str());
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let one = |grade: i32| pb::Quota {
        quota: limit.quota.id.clone(),
        source: limit.quota.source.clone(),
        policy_version: of.policy,
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code.clone(),
        scheme_name: scheme.scheme_name.clone(),
        term: of.term.to_string(),
        place: limit.place.clone(),
        place_name: place_name(&limit.place, names),
        grade,
        percent: limit.quota.percent.map_or(0, |percent| i32::try_from(percent).unwrap_or(i32::MAX)),
        base: limit.base(grade),
        base_date: day(limit.counted.map(|(of, _)| of)),
        counted_date: day(limit.counted.map(|(_, counted)| counted)),
        limit: limit.most(grade),
        taken: limit.let_in(grade),
        left: limit.left(grade),
    };
    limit.grades().into_iter().map(one).collect()
}

/// Excess from what was stored.
pub(crate) fn excess_of(text: &str) -> Result<Excess, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("a limit that was exceeded"))
}
