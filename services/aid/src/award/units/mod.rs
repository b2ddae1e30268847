//! What entries cover, month by month or as a term: units are rows. An entry keeps what was signed; its units say what of it holds. The
//! database refuses two approved units of one student and scheme; whoever has one already is left behind by approval.

pub mod rules;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{Fen, Month, Term};
use xuezhu_judge::{
    entry::State,
    policy::{Paid, Policies, SchemeCode},
};
use xuezhu_proto::aid::{self as pb, award_unit};
use xuezhu_service::{Context, Error, Permission, Place, Reason, paging};
use xuezhu_store::{Hex, StoreError, Tx};

pub(super) use self::store::{BoundUnit, bound};
use self::{
    rules::{Kind, Once, Settled, Standing, Taken, Unit, Wanted, tell_doubles, told, unit_name, units},
    store::{ApprovedRow, DoubleRow, NewUnit, OneUnit, TakenRow, UnitRow},
};
use super::{
    bound,
    corrections::rules::Unit as Corrigible,
    store::{Entered, EntryRow, ListRow},
};
use crate::{
    forgotten, mirror,
    policy::scheme_told,
    reconciliation::{self, parse_months},
};

fn scheme_of(text: &str) -> Result<SchemeCode, StoreError> {
    SchemeCode::parse(text).ok_or(StoreError::Corrupt("scheme"))
}

fn term_of(text: &str) -> Result<Term, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt("term"))
}

fn month_of(number: i32) -> Result<Month, StoreError> {
    number.try_into().map_err(|_| StoreError::Corrupt("first month of a unit"))
}

fn kind_of(code: i32) -> Result<Kind, StoreError> {
    code.try_into().map_err(|_| StoreError::Corrupt("kind of a unit"))
}

/// What an entry covers, claimed.
fn claimed(entry: Uuid, (scheme, paid): (SchemeCode, Paid), term: &str, months: &str, amount_fen: i64) -> Result<Vec<NewUnit>, Error> {
    let new = |unit: Unit| NewUnit {
        entry: Hex(entry),
        first_month: unit.first.number(),
        unit: unit.kind.code(),
        scheme: scheme.as_str(),
        subject: None,
        fen: unit.fen.0,
        standing: Standing::Claimed.code(),
        taken_by: None,
    };
    Ok(units(paid, term_of(term)?, &parse_months(months), Fen(amount_fen)).into_iter().map(new).collect())
}

/// Writes the units of entries that were just entered.
pub(super) async fn enter(ctx: &Context, tx: &mut Tx, list: &ListRow, paid: Paid, entered: &[Entered]) -> Result<(), Error> {
    let scheme = (scheme_of(&list.scheme)?, paid);
    let mut new = Vec::with_capacity(entered.len());
    for row in entered {
        new.extend(claimed(row.entry.0, scheme, &list.term, &row.months, row.amount_fen)?);
    }
    Ok(store::insert(tx, &new, Some(ctx.today())).await?)
}

/// Writes the units of entries that were just edited.
pub(super) async fn enter_again(ctx: &Context, tx: &mut Tx, list: &ListRow, paid: Paid, entered: &[Entered]) -> Result<(), Error> {
    remove(tx, &entered.iter().map(|row| row.entry.0).collect::<Vec<_>>()).await?;
    enter(ctx, tx, list, paid, entered).await
}

/// Takes away the units of entries that are taken off a list: they claim nothing any more.
pub(super) async fn remove(tx: &mut Tx, entries: &[Uuid]) -> Result<(), Error> {
    Ok(store::delete(tx, entries).await?)
}

/// Approves the units of entries of a list; `keys` are theirs and all beside them, of a generation, locked; returns the entries that are. The others stay as they are, and say by
/// whom their units are taken. Where two approve units of one student under different numbers at once, the index lets one of them through,
/// and the other is run again and sees it.
pub(super) async fn approve(ctx: &Context, tx: &mut Tx, list: &ListRow, free: &[&EntryRow], keys: (i64, &[Uuid])) -> Result<Vec<Uuid>, Error> {
    if free.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, Uuid)> = free.iter().map(|row| (row.entry, row.person_key)).collect();
    let (wanted, mut approved) = against(tx, scheme_of(&list.scheme)?, &rows, keys).await?;
    let (can, refused) = rules::approve(&wanted, &mut approved);
    if !refused.is_empty() {
        let taken = |unit: &Settled| TakenRow { entry: Hex(unit.entry), first_month: unit.first.number(), taken_by: unit.taken_by.map(Hex) };
        store::note_taken(tx, &refused.iter().map(taken).collect::<Vec<_>>()).await?;
    }
    if !can.is_empty() {
        let rows: Vec<ApprovedRow> = can.iter().map(|(entry, subject)| ApprovedRow { entry: Hex(*entry), subject: Hex(*subject) }).collect();
        bound::touch(ctx, tx, &can.iter().map(|(entry, _)| *entry).collect::<Vec<_>>()).await?;
        store::approve(tx, &rows, ctx.today()).await?;
    }
    Ok(can.into_iter().map(|(entry, _)| entry).collect())
}

/// What entries (with their keys) cover and whose they are, in the order in which they are approved; and what those have approved already:
/// under what their entries are held against now, and by any entry that is theirs now, whatever it was held against when it was approved.
/// A number that was nobody's may have become somebody's since.
async fn against(
    tx: &mut Tx,
    scheme: SchemeCode,
    rows: &[(Uuid, Uuid)],
    (generation, keys): (i64, &[Uuid]),
) -> Result<(Vec<Wanted>, BTreeMap<Once, Uuid>), Error> {
    let subjects = reconciliation::subjects_of_entries(tx, generation, keys).await?;
    let mut covered: HashMap<Uuid, Vec<(Kind, Month)>> = HashMap::new();
    for (entry, unit, first) in store::covered(tx, &rows.iter().map(|(entry, _)| *entry).collect::<Vec<_>>()).await? {
        covered.entry(entry).or_default().push((kind_of(unit)?, month_of(first)?));
    }
    let mut wanted: Vec<Wanted> = Vec::with_capacity(rows.len());
    for (entry, key) in rows {
        let subject = subjects.get(entry).copied().unwrap_or(*key);
        wanted.push(Wanted { entry: *entry, subject, scheme, units: covered.remove(entry).unwrap_or_default() });
    }
    // Ids rise with time: of two entries of one student on one list the earlier one is approved.
    wanted.sort_by_key(|wanted| wanted.entry);
    let mut approved = approved_of(tx, scheme, wanted.iter().map(|wanted| wanted.subject)).await?;
    let own: HashSet<Uuid> = rows.iter().map(|(entry, _)| *entry).collect();
    let others: Vec<Uuid> = subjects.keys().filter(|entry| !own.contains(entry)).copied().collect();
    for (entry, unit, first) in store::taken_of(tx, scheme.as_str(), &others).await? {
        if let Some(subject) = subjects.get(&entry) {
            approved.entry((*subject, scheme, kind_of(unit)?, month_of(first)?)).or_insert(entry);
        }
    }
    Ok((wanted, approved))
}

/// What students have approved of a scheme.
async fn approved_of(tx: &mut Tx, scheme: SchemeCode, subjects: impl Iterator<Item = Uuid>) -> Result<BTreeMap<Once, Uuid>, Error> {
    let mut subjects: Vec<Uuid> = subjects.collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut approved = BTreeMap::new();
    for (subject, unit, first, entry) in store::approved(tx, scheme.as_str(), &subjects).await? {
        approved.insert((subject, scheme, kind_of(unit)?, month_of(first)?), entry);
    }
    Ok(approved)
}

/// Units stand otherwise, those of them that stood so: entry and first month.
pub(super) async fn set(ctx: &Context, tx: &mut Tx, units: &[(Uuid, i32)], from: Standing, to: Standing) -> Result<(), Error> {
    if units.is_empty() {
        return Ok(());
    }
    bound::touch(ctx, tx, &units.iter().map(|(entry, _)| *entry).collect::<Vec<_>>()).await?;
    Ok(store::set(tx, &named(units), from, to, ctx.today()).await?)
}

/// Claims that were refused for these are not refused for them any more: they can be approved when that is tried again.
pub(super) async fn free(tx: &mut Tx, units: &[(Uuid, i32)]) -> Result<(), Error> {
    Ok(store::free(tx, &named(units)).await?)
}

fn named(units: &[(Uuid, i32)]) -> Vec<OneUnit> {
    units.iter().map(|(entry, first_month)| OneUnit { entry: Hex(*entry), first_month: *first_month }).collect()
}

/// Units of entries, as a correction sees them.
pub(super) async fn corrigible(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<(Uuid, Corrigible)>, Error> {
    let found = store::as_they_stand(tx, entries).await?;
    let unit = |(entry, kind, first, fen, standing): (Uuid, i32, i32, i64, i32)| {
        let standing = standing.try_into().map_err(|_| StoreError::Corrupt("standing of a unit"))?;
        Ok((entry, Corrigible { kind: kind_of(kind)?, first: month_of(first)?, fen: Fen(fen), standing }))
    };
    Ok(found.into_iter().map(unit).collect::<Result<_, StoreError>>()?)
}

/// What holds of entries with these months: months that stand, and what they come to.
pub(crate) async fn standing(tx: &mut Tx, entries: &[(Uuid, &str)]) -> Result<HashMap<Uuid, (Vec<i32>, i64)>, Error> {
    let months: HashMap<Uuid, &str> = entries.iter().copied().collect();
    let mut standing: HashMap<Uuid, (Vec<i32>, i64)> = HashMap::new();
    for (entry, unit) in corrigible(tx, &months.keys().copied().collect::<Vec<_>>()).await? {
        let holds = standing.entry(entry).or_default();
        if unit.standing.stands() {
            holds.1 += unit.fen.0;
            match unit.kind {
                Kind::Month => holds.0.push(unit.first.number()),
                Kind::Term | Kind::Year => holds.0.extend(super::month_numbers(months.get(&entry).copied().unwrap_or_default())),
            }
        }
    }
    Ok(standing)
}

/// What holds of an entry, and why it is not approved if a unit of it is taken.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Holds {
    /// Months that stand, YYYYMM.
    pub months: Vec<i32>,
    /// What they come to.
    pub fen: i64,
    /// Of these months those that are to be stopped, and wait for a decision.
    pub stopping: Vec<i32>,
    /// Why it was not approved.
    pub refusal: Option<Reason>,
    /// The same in Chinese.
    pub message: String,
}

/// What holds of the entries of a list.
pub(super) async fn of_entries(tx: &mut Tx, policies: &Policies, list: &ListRow, rows: &[EntryRow]) -> Result<HashMap<Uuid, Holds>, Error> {
    let mut by_entry: HashMap<Uuid, Vec<UnitRow>> = HashMap::new();
    for unit in store::of_entries(tx, &rows.iter().map(|row| row.entry).collect::<Vec<_>>()).await? {
        by_entry.entry(unit.entry).or_default().push(unit);
    }
    let is_noted = |row: &&EntryRow| by_entry.get(&row.entry).is_some_and(|units| units.iter().any(is_refused));
    let noted: Vec<(Uuid, Uuid)> = rows.iter().filter(is_noted).map(|row| (row.entry, row.person_key)).collect();
    let taken = still_taken(tx, scheme_of(&list.scheme)?, &noted).await?;
    for (_, units) in by_entry.iter_mut().filter(|(entry, _)| !taken.contains(entry)) {
        units.iter_mut().filter(|unit| is_refused(unit)).for_each(|unit| unit.taken_by = None);
    }
    let mut holds = HashMap::with_capacity(rows.len());
    for row in rows {
        holds.insert(row.entry, of_units(policies, list, row, &by_entry.remove(&row.entry).unwrap_or_default())?);
    }
    Ok(holds)
}

/// Whether it was noted of a claimed unit that somebody has it.
fn is_refused(unit: &UnitRow) -> bool {
    unit.standing == Standing::Claimed && unit.taken_by.is_some()
}

fn of_units(policies: &Policies, list: &ListRow, row: &EntryRow, units: &[UnitRow]) -> Result<Holds, Error> {
    let mut holds = Holds::default();
    let mut taken = Vec::new();
    for unit in units {
        let (kind, first) = (kind_of(unit.unit)?, month_of(unit.first_month)?);
        if unit.standing.stands() {
            holds.fen += unit.fen;
            match kind {
                Kind::Month => holds.months.push(first.number()),
                // The months that were signed: the unit stands for all of them.
                Kind::Term | Kind::Year => holds.months.extend(super::month_numbers(&row.months)),
            }
        }
        if unit.standing == Standing::Stopping {
            holds.stopping.push(first.number());
        }
        if is_refused(unit) {
            let own_list = (unit.by_school == list.school).then(|| list_name(policies, unit)).transpose()?;
            taken.push(Taken { unit: unit_name(kind, first), own_list });
        }
    }
    if !taken.is_empty() {
        holds.refusal = Some(Reason::MonthTaken);
        holds.message = told(&taken);
    }
    Ok(holds)
}

fn list_name(policies: &Policies, unit: &UnitRow) -> Result<String, Error> {
    let scheme = policies.scheme_name(scheme_of(&unit.by_scheme)?);
    let which = if unit.by_supplement == 0 { "主名单".to_owned() } else { format!("补充名单{}", unit.by_supplement) };
    Ok(format!("{} {scheme} {which}", term_of(&unit.by_term)?.name()))
}

/// What stands of a list, without what was sent back, in fen.
pub(super) async fn standing_fen(tx: &mut Tx, lists: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
    Ok(store::standing_fen(tx, lists).await?.into_iter().collect())
}

/// Attested entries of lists that were not approved because a unit of theirs is taken, and still is, and that no flag holds.
pub(super) async fn taken_attested(tx: &mut Tx, lists: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let mut noted: HashMap<String, Vec<(Uuid, Uuid)>> = HashMap::new();
    for (entry, key, scheme) in store::taken_attested(tx, lists).await? {
        noted.entry(scheme).or_default().push((entry, key));
    }
    let mut taken = HashSet::new();
    for (scheme, noted) in noted {
        taken.extend(still_taken(tx, scheme_of(&scheme)?, &noted).await?);
    }
    Ok(taken)
}

/// Those of entries (with their keys) of which somebody has a unit now. That it was so when their approval was tried is noted with their
/// units; who had it may have given it up since, or turned out to be somebody else.
async fn still_taken(tx: &mut Tx, scheme: SchemeCode, noted: &[(Uuid, Uuid)]) -> Result<HashSet<Uuid>, Error> {
    if noted.is_empty() {
        return Ok(HashSet::new());
    }
    let generation = mirror::state(tx).await?.generation;
    let keys = reconciliation::keys_beside(tx, generation, &noted.iter().map(|(_, key)| *key).collect::<Vec<_>>()).await?;
    let (wanted, approved) = against(tx, scheme, noted, (generation, &keys)).await?;
    Ok(rules::taken(&wanted, &approved))
}

/// What was approved twice before units were rows, as far as the caller sees the schools.
pub(super) async fn list_doubles(
    ctx: &Context,
    tx: &mut Tx,
    policies: &Policies,
    request: &pb::ListDoubleUnitsRequest,
) -> Result<pb::ListDoubleUnitsResponse, Error> {
    let (own, authority_prefix) = forgotten::seen(ctx);
    let school = if request.school.is_empty() { own.clone() } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadMoney, &Place::Region(&ctx.actor.organisation))?;
    } else {
        mirror::school_for(ctx, tx, &school, Permission::ReadMoney).await?;
    }
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListDoubleUnits", &pb::ListDoubleUnitsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let rows = store::doubles(tx, &school, &authority_prefix, query.after(&request.page_token)?.unwrap_or_default(), limit).await?;
    let next_page_token = match rows.last() {
        Some(last) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&(last.entry, last.first_month)),
        _ => String::new(),
    };
    let units = rows.into_iter().map(|row| double_to_proto(ctx, policies, &own, &authority_prefix, row)).collect::<Result<_, Error>>()?;
    Ok(pb::ListDoubleUnitsResponse { units, next_page_token })
}

fn double_to_proto(ctx: &Context, policies: &Policies, own: &str, authority_prefix: &str, row: DoubleRow) -> Result<pb::DoubleUnit, Error> {
    // A school learns nothing of another's list, a department nothing of schools that are not under it.
    let is_school = ctx.actor.role.is_of_school();
    let shown = if is_school { row.by_school == own } else { row.by_authority.starts_with(authority_prefix) };
    let seen = |text: String| if shown { text } else { String::new() };
    let id = |id: Option<Uuid>| seen(id.map(|id| id.to_string()).unwrap_or_default());
    let scheme = scheme_told(policies, &row.scheme);
    Ok(pb::DoubleUnit {
        entry: row.entry.to_string(),
        list: row.list.to_string(),
        school: row.school,
        school_name: row.school_name,
        name: row.name,
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        term: row.term,
        kind: award_unit::Kind::from_str_name(kind_of(row.unit)?.as_str()).unwrap_or_default().into(),
        first_month: row.first_month,
        fen: row.fen,
        standing_entry: id(row.by_entry),
        standing_list: id(row.by_list),
        standing_school: seen(row.by_school),
        standing_school_name: seen(row.by_school_name),
    })
}

/// An entry of a database of before.
pub(crate) struct OfBefore {
    pub entry: Uuid,
    pub person_key: Uuid,
    pub scheme: String,
    pub term: String,
    pub months: String,
    pub amount_fen: i64,
    pub state: State,
}

/// Makes rows of the units of entries of before, those that were recorded first first: what was approved twice was so for the one that
/// was recorded first, and is double for the others.
pub(crate) async fn move_over(tx: &mut Tx, rows: &[OfBefore]) -> Result<(), Error> {
    let generation = mirror::state(tx).await?.generation;
    let keys: Vec<Uuid> = rows.iter().filter(|row| row.state == State::Approved).map(|row| row.person_key).collect();
    let subjects = reconciliation::subjects_of_entries(tx, generation, &keys).await?;
    let mut new = Vec::new();
    let mut by_scheme: HashMap<SchemeCode, Vec<Wanted>> = HashMap::new();
    for row in rows {
        let scheme = scheme_of(&row.scheme)?;
        // Local schemes came later.
        let paid = scheme.paid_by_state().ok_or(StoreError::Corrupt("scheme"))?;
        let units = claimed(row.entry, (scheme, paid), &row.term, &row.months, row.amount_fen)?;
        if row.state == State::Approved {
            let subject = subjects.get(&row.entry).copied().unwrap_or(row.person_key);
            let covers = units.iter().map(|unit| Ok((kind_of(unit.unit)?, month_of(unit.first_month)?))).collect::<Result<_, StoreError>>()?;
            by_scheme.entry(scheme).or_default().push(Wanted { entry: row.entry, subject, scheme, units: covers });
        }
        new.extend(units);
    }
    let mut settled: HashMap<(Uuid, i32), Settled> = HashMap::new();
    for (scheme, wanted) in by_scheme {
        let mut approved = approved_of(tx, scheme, wanted.iter().map(|wanted| wanted.subject)).await?;
        settled.extend(tell_doubles(&wanted, &mut approved).into_iter().map(|unit| ((unit.entry, unit.first.number()), unit)));
    }
    for unit in &mut new {
        if let Some(settled) = settled.get(&(unit.entry.0, unit.first_month)) {
            unit.subject = Some(Hex(settled.subject));
            unit.standing = if settled.taken_by.is_some() { Standing::Double } else { Standing::Approved }.code();
            unit.taken_by = settled.taken_by.map(Hex);
        }
    }
    // Since when it stands so, nobody kept.
    Ok(store::insert(tx, &new, None).await?)
}
