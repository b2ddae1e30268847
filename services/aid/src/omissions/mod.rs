//! 漏报清单: who should be listed in a term and is not, each with its cause, as the principal signs it before the lists lock.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | drawing up, causes, submitting, reading |
//! | `rules` | when it opens, what causes there are |
//! | `kind` | lists as a kind of dossier |
//! | `api` | gRPC in |

pub mod api;
pub mod kind;
pub mod rules;
mod store;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{Term, region};
use xuezhu_judge::policy::{self, SchemeCode};
use xuezhu_proto::{
    aid::{self as pb, omission, omission_list},
    common as told,
};
use xuezhu_review::{OfSchool, Proposal, told as tell};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal};
use xuezhu_store::{Hex, StoreError, Tx};

use self::{
    rules::{Cause, State},
    store::{ItemRow, ListRow, MissingRow, NewItem},
};
use crate::{Parts, asked, mirror, mirror::SchoolRow, policy::scheme_told, reconciliation};

/// Longest note, in characters.
const NOTE: usize = 200;
/// The state of a school that is open, as the mirror has it.
const ACTIVE: &str = "ACTIVE";

/// The term that is asked for; the present one where none is named.
fn term_of(ctx: &Context, text: &str) -> Result<Term, Error> {
    let mut errors = FieldErrors::default();
    let term = asked::term(ctx, text, &mut errors);
    errors.check()?;
    term.ok_or_else(|| Error::Internal("a field is missing and not told".into()))
}

/// Whoever should be listed and is not: whom flags tell, and who signed not to want what else would be missing.
async fn missing(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, term: &str) -> Result<Vec<MissingRow>, Error> {
    let generation = mirror::state(tx).await?.generation;
    let mut all = store::missing(tx, generation, school, term).await?;
    let waived = store::waived(tx, generation, school, term).await?;
    if !waived.is_empty() {
        let keys: Vec<Uuid> = waived.iter().map(|row| row.person_key).collect();
        let entitled = reconciliation::missing_but_for_waivers(ctx, tx, parts, generation, &keys).await?;
        let of = |row: &MissingRow| (row.person_key, school.to_owned(), row.scheme.clone(), term.to_owned());
        all.extend(waived.into_iter().filter(|row| entitled.contains(&of(row))));
    }
    Ok(all)
}

/// Who of those missing is not on a list as what they are now: who took a waiver back, or signed one, is missing otherwise than before.
fn others(missing: &[MissingRow], items: &[ItemRow]) -> usize {
    let on: HashSet<(Option<Uuid>, Option<Uuid>)> = items.iter().map(|item| (item.flag, item.statement)).collect();
    missing.iter().filter(|row| !on.contains(&(row.flag, row.statement))).count()
}

/// Draws the list of a term up, or draws it up anew: causes that were given stay.
pub async fn draw_up(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, term: &str) -> Result<pb::OmissionList, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let term = term_of(ctx, term)?;
    in_time(ctx, tx, parts, &school, term).await?;
    let text = term.to_string();
    let missing = missing(ctx, tx, parts, &school.school, &text).await?;
    let known = store::last(tx, &school.school, &text).await?;
    let before = match &known {
        Some(row) => store::items(tx, row.list).await?,
        None => Vec::new(),
    };
    let list = match known {
        Some(row) if row.state == State::Signed && others(&missing, &before) == 0 => {
            return Err(Refusal::new(Reason::NothingToDo, "漏报清单已签字，此后没有新的漏报，不用重新生成").into());
        }
        Some(row) if row.state != State::Signed => draft(tx, &school.school, row.list).await?.list,
        _ => {
            let list = ctx.new_id();
            store::insert(ctx, tx, list, &school.school, &text).await?;
            list
        }
    };
    let said: HashMap<Uuid, &ItemRow> = before.iter().filter(|item| item.cause.is_said()).filter_map(|item| item.flag.map(|flag| (flag, item))).collect();
    let item = |row: &MissingRow| {
        let said = row.flag.and_then(|flag| said.get(&flag));
        let cause = if row.flag.is_none() { Cause::Waived } else { said.map_or(Cause::Unsaid, |item| item.cause) };
        NewItem {
            item: Hex(ctx.new_id()),
            scheme: row.scheme.clone(),
            person_key: Hex(row.person_key),
            flag: row.flag.map(Hex),
            statement: row.statement.map(Hex),
            name: row.name.clone(),
            class_name: row.class_name.clone().unwrap_or_default(),
            cause: cause.code(),
            note: said.map(|item| item.note.clone()).unwrap_or_default(),
        }
    };
    let items: Vec<NewItem> = missing.iter().map(item).collect();
    store::replace(tx, list, &items).await?;
    whole(ctx, tx, parts, &school, term).await
}

/// Refuses before a term's list opens, and after its lists locked, unless the province opened them again.
async fn in_time(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &SchoolRow, term: Term) -> Result<(), Error> {
    let policies = parts.policies.now();
    let days = policies.of_term(term, ctx.today()).policy.days(term, &school.region).filter(|_| term >= policy::first_term());
    let days = days.ok_or_else(|| Refusal::wrong_state(format!("{}没有资助名单，也没有漏报清单", term.name())))?;
    let opens = rules::opens(&days);
    if ctx.today() < opens {
        return Err(Refusal::wrong_state(format!("{}的漏报清单自{opens}起可以生成（名单锁定前十天）", term.name())).into());
    }
    match days.lock.filter(|lock| ctx.today() > *lock) {
        Some(lock) if !store::reopened(tx, &school.school, &term.to_string(), ctx.today()).await? => {
            let why = format!("{}的名单已于{lock}锁定，不再生成和提交漏报清单；确需补办的，请省级主管部门重新开放", term.name());
            Err(Refusal::new(Reason::TermLocked, why).into())
        }
        _ => Ok(()),
    }
}

/// A draft of a school, locked.
async fn draft(tx: &mut Tx, school: &str, list: Uuid) -> Result<ListRow, Error> {
    let row = store::locked(tx, school, list).await?.ok_or_else(|| Refusal::not_found("该漏报清单"))?;
    if row.state != State::Draft {
        return Err(Refusal::wrong_state("漏报清单已提交签字，要改或重新生成的，先撤回或请签字人退回").into());
    }
    Ok(row)
}

/// What a clerk says of some of a list.
#[derive(Debug, Clone)]
pub struct Said {
    school: String,
    list: Uuid,
    items: Vec<Uuid>,
    cause: Option<Cause>,
    note: String,
}

/// Says why students are not listed.
pub async fn set_cause(ctx: &Context, tx: &mut Tx, parts: &Parts, said: &Said) -> Result<pb::OmissionList, Error> {
    let school = mirror::school_for(ctx, tx, &said.school, Permission::EnterForSchool).await?;
    let mut errors = FieldErrors::default();
    rules::check(&mut errors, said.cause, &said.note);
    let note = if said.note.trim().is_empty() { Some(String::new()) } else { errors.text("note", &said.note, NOTE) };
    errors.check()?;
    let (Some(cause), Some(note)) = (said.cause, note) else { return Err(Error::Internal("a field is missing and not told".into())) };
    let row = draft(tx, &school.school, said.list).await?;
    if usize::try_from(store::set_cause(tx, row.list, &said.items, cause, &note).await?).ok() != Some(said.items.len()) {
        return Err(Refusal::field("items", "有学生不在这份清单上，或者是自愿放弃的；请刷新后重新选择").into());
    }
    whole(ctx, tx, parts, &school, row.term.parse().map_err(|_| StoreError::Corrupt("term"))?).await
}

/// Submits a list to the principal.
pub async fn submit(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid) -> Result<told::Dossier, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let row = draft(tx, &school.school, list).await?;
    in_time(ctx, tx, parts, &school, row.term.parse().map_err(|_| StoreError::Corrupt("term"))?).await?;
    let items = store::items(tx, row.list).await?;
    let unsaid = items.iter().filter(|item| item.cause == Cause::Unsaid).count();
    if unsaid > 0 {
        return Err(Refusal::wrong_state(format!("还有{unsaid}人没有填原因")).into());
    }
    complete(ctx, tx, parts, &row, &items).await?;
    let dossier = ctx.new_id();
    store::set_state(tx, row.list, State::Submitted, Some(dossier), "", None).await?;
    let term: Term = row.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let title = format!("{}{}（{}人）", term.name(), kind::ABOUT.name, items.len());
    let proposal = Proposal { dossier, subject: Some(row.list), title, reason: String::new(), items: kind::items(parts, row.list, &items) };
    let of = OfSchool { code: &school.school, authority: &school.authority };
    let dossier = xuezhu_review::submit(ctx, tx, &kind::Omissions { parts }, of, proposal).await?;
    Ok(tell::dossier(&kind::ABOUT, &dossier, &school.name, ctx.today()))
}

/// Refuses where somebody is missing who is not on a list: one list of all is signed, or none. Who was put on an award list since may stand on it.
async fn complete(ctx: &Context, tx: &mut Tx, parts: &Parts, row: &ListRow, items: &[ItemRow]) -> Result<(), Error> {
    let others = others(&missing(ctx, tx, parts, &row.school, &row.term).await?, items);
    if others == 0 {
        return Ok(());
    }
    Err(Refusal::new(Reason::Conflict, format!("生成清单以后有{others}人的情况有变化（新的漏报，或者签了、撤回了放弃）：请经办人重新生成")).into())
}

/// The last list of a school and term.
pub async fn of_school(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, term: &str) -> Result<pb::OmissionList, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    let term = term_of(ctx, term)?;
    whole(ctx, tx, parts, &school, term).await
}

async fn whole(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &SchoolRow, term: Term) -> Result<pb::OmissionList, Error> {
    let policies = parts.policies.now();
    let days = policies.of_term(term, ctx.today()).policy.days(term, &school.region);
    let text = term.to_string();
    let row = store::last(tx, &school.school, &text).await?;
    let items = match &row {
        Some(row) => store::items(tx, row.list).await?,
        None => Vec::new(),
    };
    let others = others(&missing(ctx, tx, parts, &school.school, &text).await?, &items);
    let small = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let omission = |item: &ItemRow| pb::Omission {
        item: item.item.to_string(),
        name: item.name.clone(),
        class_name: item.class_name.clone(),
        scheme_code: item.scheme.clone(),
        scheme_name: scheme_told(&policies, &item.scheme).scheme_name,
        cause: omission::Cause::try_from(item.cause.code()).unwrap_or_default().into(),
        note: item.note.clone(),
        flag: item.flag.map(|flag| flag.to_string()).unwrap_or_default(),
    };
    Ok(pb::OmissionList {
        school: school.school.clone(),
        school_name: school.name.clone(),
        term: text,
        open_date: days.as_ref().map(|days| rules::opens(days).to_string()).unwrap_or_default(),
        due_date: days.and_then(|days| days.lock).map(|day| day.to_string()).unwrap_or_default(),
        others: small(others),
        without_cause: small(items.iter().filter(|item| item.cause == Cause::Unsaid).count()),
        count: small(items.len()),
        omissions: items.iter().map(omission).collect(),
        state: state(row.as_ref().map(|row| row.state)).into(),
        list: row.as_ref().map(|row| row.list.to_string()).unwrap_or_default(),
        reason: row.as_ref().map(|row| row.reason.clone()).unwrap_or_default(),
        dossier: row.as_ref().and_then(|row| row.dossier).map(|dossier| dossier.to_string()).unwrap_or_default(),
        signed_date: row.and_then(|row| row.signed_day).map(|day| day.to_string()).unwrap_or_default(),
    })
}

fn state(state: Option<State>) -> omission_list::State {
    match state {
        None => omission_list::State::Unspecified,
        Some(State::Draft) => omission_list::State::Draft,
        Some(State::Submitted) => omission_list::State::Submitted,
        Some(State::Signed) => omission_list::State::Signed,
    }
}

/// How the schools of a region stand.
pub async fn of_region(ctx: &Context, tx: &mut Tx, region: &str, term: &str) -> Result<pb::ListOmissionListsResponse, Error> {
    let mut errors = FieldErrors::default();
    let region = asked::region(ctx, region, &mut errors);
    errors.check()?;
    let region = region.ok_or_else(|| Error::Internal("a field is missing and not told".into()))?;
    ctx.may(Permission::TakeOutCounts, &Place::Region(&region))?;
    let term = term_of(ctx, term)?.to_string();
    let rows = store::schools(tx, region::prefix_or_all(&region), &term, ACTIVE).await?;
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let school = |row: store::SchoolRow| -> Result<pb::OmissionSchool, Error> {
        let stands = row.state.map(State::try_from).transpose().map_err(|_| StoreError::Corrupt("state of a list of omissions"))?;
        Ok(pb::OmissionSchool {
            school: row.school,
            school_name: row.name,
            state: state(stands).into(),
            count: small(row.listed),
            waived: small(row.waived),
            missing: small(row.missing),
            signed_date: row.signed_day.map(|day| day.to_string()).unwrap_or_default(),
        })
    };
    Ok(pb::ListOmissionListsResponse { schools: rows.into_iter().map(school).collect::<Result<_, _>>()?, term })
}

/// A scheme as a sheet names it.
fn scheme_name(parts: &Parts, scheme: &str) -> String {
    SchemeCode::parse(scheme).map(|code| parts.policies.now().scheme_name(code).to_owned()).unwrap_or_default()
}
