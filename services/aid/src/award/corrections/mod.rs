//! 资助更正: what was approved is put right, from a month on, for some months, or altogether. The school asks and desks decide, or the
//! department orders. What was signed stays as it was signed: units say what of it holds.

pub mod kind;
pub mod rules;
mod store;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_judge::policy::Policies;
use xuezhu_proto::{
    aid::{self as pb, correction},
    common as told,
};
use xuezhu_review::{Dossier, Filter, OfSchool, Proposal, inbox, told as tell, way::ItemState};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Refusal, paging::Turn};
use xuezhu_store::{Hex, Tx};

use self::{
    kind::{ABOUT, AwardCorrection, item},
    rules::{Correction, Unit, What},
    store::{CorrectionRow, NewCorrection},
};
use super::units::{self, rules::Standing};
use crate::{
    Parts, mirror,
    policy::scheme_told,
    reconciliation::{self, months_text},
};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// School.
    pub school: String,
    /// Of which entries.
    pub entries: Vec<Uuid>,
    /// What.
    pub correction: Correction,
    /// Why.
    pub reason: String,
}

/// The school asks: it goes over the desks of its chain. A stop holds from now on.
pub async fn ask(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<told::Dossier, Error> {
    let school = mirror::school_for(ctx, tx, &asked.school, Permission::EnterForSchool).await?;
    let proposal = proposal(ctx, tx, parts, asked).await?;
    let of = OfSchool { code: &school.school, authority: &school.authority };
    let dossier = xuezhu_review::submit(ctx, tx, &AwardCorrection { parts }, of, proposal).await?;
    Ok(tell::dossier(&ABOUT, &dossier, &school.name, ctx.today()))
}

/// The department orders: it is done at once, and the principal takes note. What the school asks of the same entries is decided by it.
pub async fn order(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<told::Dossier, Error> {
    let school = mirror::school_for(ctx, tx, &asked.school, Permission::Approve).await?;
    xuezhu_review::overtake(ctx, tx, &AwardCorrection { parts }, &school.school, &asked.entries, xuezhu_review::DONE_BY_DEPARTMENT).await?;
    let proposal = proposal(ctx, tx, parts, asked).await?;
    let of = OfSchool { code: &school.school, authority: &school.authority };
    let dossier = xuezhu_review::order(ctx, tx, &AwardCorrection { parts }, of, proposal).await?;
    Ok(tell::dossier(&ABOUT, &dossier, &school.name, ctx.today()))
}

/// What is asked, if each entry is approved, has what is to be taken, and nothing is under way about it; every entry at fault is named.
async fn proposal(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<Proposal, Error> {
    let rows = store::approved(tx, &asked.school, &asked.entries).await?;
    // Two who ask of one entry at once take turns.
    let mut keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
    keys.sort_unstable();
    keys.dedup();
    reconciliation::lock_keys(tx, &keys).await?;
    let there: HashSet<Uuid> = rows.iter().map(|row| row.entry).collect();
    let under_way: HashSet<Uuid> = inbox::under_way(tx, ABOUT.code, &asked.entries).await?.into_iter().map(|(entry, _)| entry).collect();
    let mut units: HashMap<Uuid, Vec<Unit>> = HashMap::new();
    for (entry, unit) in units::corrigible(tx, &asked.entries).await? {
        units.entry(entry).or_default().push(unit);
    }
    let (mut errors, mut taken) = (FieldErrors::default(), HashMap::new());
    for (index, entry) in asked.entries.iter().enumerate() {
        let why = if !there.contains(entry) {
            "本校没有这条已审核的记录".to_owned()
        } else if under_way.contains(entry) {
            "该条已有更正在办，请待其办结".to_owned()
        } else if taken.contains_key(entry) {
            "该条重复".to_owned()
        } else {
            match asked.correction.takes(units.get(entry).map_or(&[][..], Vec::as_slice)) {
                Ok(units) => {
                    taken.insert(*entry, units);
                    continue;
                }
                Err(why) => why.to_string(),
            }
        };
        errors.add(&format!("entries[{index}]"), &why);
    }
    errors.check()?;
    let (what, dossier) = (asked.correction.what(), ctx.new_id());
    let (mut new, mut items, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let taken = taken.remove(&row.entry).unwrap_or_default();
        let months = months_text(&taken.iter().map(|unit| unit.first).collect::<Vec<_>>());
        let fen = taken.iter().map(|unit| unit.fen.0).sum();
        items.push(item(parts, row, what, &months, fen)?);
        held.extend(taken.iter().map(|unit| (row.entry, unit.first.number())));
        new.push(NewCorrection { entry: Hex(row.entry), what: what.code(), months, fen });
    }
    if new.is_empty() {
        return Err(Refusal::field("entries", "请选择要更正的记录").into());
    }
    store::insert(tx, dossier, &new).await?;
    if what == What::Stop {
        units::set(ctx, tx, &held, Standing::Approved, Standing::Stopping).await?;
    }
    let title = format!("{}（{}，{}人）", ABOUT.name, what.name(), new.len());
    Ok(Proposal { dossier, subject: None, title, reason: asked.reason.clone(), items })
}

/// Corrections of a school, newest dossier first.
pub async fn list(
    ctx: &Context,
    tx: &mut Tx,
    policies: &Policies,
    school: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<pb::Correction>, Option<Uuid>), Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    let filter = Filter { school: school.school, kind: ABOUT.code, ..Filter::default() };
    let dossiers = inbox::search(tx, &filter, &Turn { after: before, ..Turn::first(limit) }).await?;
    let next = dossiers.last().filter(|_| i64::try_from(dossiers.len()).unwrap_or(0) == limit).map(|last| last.dossier);
    let ids: Vec<Uuid> = dossiers.iter().map(|dossier| dossier.dossier).collect();
    let rows = store::of_dossiers(tx, &ids).await?;
    let states = inbox::standing_items(tx, ABOUT.code, &rows.iter().map(|row| row.entry).collect::<Vec<_>>()).await?;
    let mut by_dossier: HashMap<Uuid, Vec<CorrectionRow>> = HashMap::new();
    for row in rows {
        by_dossier.entry(row.dossier).or_default().push(row);
    }
    let mut told = Vec::new();
    for dossier in &dossiers {
        for row in by_dossier.remove(&dossier.dossier).unwrap_or_default() {
            let state = states.get(&(row.entry, row.dossier)).copied();
            told.push(pb::Correction { school: dossier.school.clone(), waits_at: waits_at(dossier), ..to_proto(policies, &row, state) });
        }
    }
    Ok((told, next))
}

fn waits_at(dossier: &Dossier) -> String {
    dossier.seat().map(|seat| seat.name()).unwrap_or_default()
}

/// What was ever asked of entries, in order of time.
pub(super) async fn of_entries(tx: &mut Tx, policies: &Policies, entries: &[Uuid]) -> Result<HashMap<Uuid, Vec<pb::Correction>>, Error> {
    let rows = store::of_entries(tx, entries).await?;
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let corrected: Vec<Uuid> = rows.iter().map(|row| row.entry).collect();
    let states = inbox::standing_items(tx, ABOUT.code, &corrected).await?;
    let mut told: HashMap<Uuid, Vec<pb::Correction>> = HashMap::new();
    for row in rows {
        let state = states.get(&(row.entry, row.dossier)).copied();
        told.entry(row.entry).or_default().push(to_proto(policies, &row, state));
    }
    Ok(told)
}

fn to_proto(policies: &Policies, row: &CorrectionRow, state: Option<ItemState>) -> pb::Correction {
    let scheme = scheme_told(policies, &row.scheme);
    let state = match state {
        None => correction::State::Unspecified,
        Some(ItemState::Waiting) => correction::State::UnderWay,
        Some(ItemState::Performed) => correction::State::Performed,
        Some(ItemState::SentBack) => correction::State::SentBack,
        Some(ItemState::Refused) => correction::State::Refused,
        Some(ItemState::Recalled) => correction::State::Recalled,
    };
    pb::Correction {
        dossier: row.dossier.to_string(),
        entry: row.entry.to_string(),
        list: row.list.to_string(),
        name: row.name.clone(),
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        term: row.term.clone(),
        what: correction::What::from_str_name(row.what.as_str()).unwrap_or_default().into(),
        months: super::month_numbers(&row.months),
        fen: row.fen,
        state: state.into(),
        ..pb::Correction::default()
    }
}
