//! 资助名单: proposed from the enrolled or uploaded by the school, submitted, attested, approved entry by entry.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | lists, and what the clerk does with what is not submitted: opening and removing lists, taking off |
//! | [`bound`] | what was submitted says, bound to what acts write of it |
//! | [`candidates`] | who of the roll may be on a list, and why each is proposed or not |
//! | [`edit`] | one entry edited where it stands, and what was sent back taken into the drafts again |
//! | [`rules`] | what the clerk may do with an entry, where a list stands |
//! | [`import`] | lists as files: what a row may hold, whom it means, what is taken back |
//! | [`rounds`] | submitting, and what desks do with what was submitted |
//! | [`kind`] | what a review needs to know of a list: each round is a dossier |
//! | `locks` | the day after which a term's lists can't be worked on, and opening them again |
//! | `limits` | who of a list is let in where only so many may be |
//! | [`units`] | what an entry covers: nobody draws a unit twice |
//! | [`told`] | lists and entries as clients are told of them |
//! | [`corrections`] | what was approved is put right: stopped, cut, voided |

pub mod api;
pub mod bound;
pub mod brief;
pub mod candidates;
pub mod corrections;
pub mod edit;
pub mod import;
pub mod kind;
mod limits;
mod locks;
pub mod rounds;
pub mod rules;
mod store;
mod told;
pub mod units;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{Month, Term};
use xuezhu_judge::{
    entry::State,
    policy::{self, Paid, Policy, Rate, SchemeCode, School, TermDays},
    rules::Asked,
};
use xuezhu_service::{Context, Error, Permission, Refusal, paging::Turn};
use xuezhu_store::{StoreError, Tx};

// What other capabilities may ask.
pub(crate) use self::store::awards_of_keys;
use self::{
    rules::{Change, after},
    store::{EntryRow, Filter, ListRow, NewList},
};
use crate::{
    Parts, mirror,
    reconciliation::{judge_keys, parse_months},
};

/// Opens the main list, or, once that is submitted, a supplementary one; answers the list that is open already.
pub async fn create_list(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, scheme: SchemeCode, term: Term) -> Result<ListRow, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let policies = parts.policies.fresh(tx).await?;
    // As of whoever is on no list: the term's own, also of a list that is opened when the term is over.
    let version = policies.of_term(term, ctx.today());
    let is_open = policy::is_open(term, ctx.today()) && Terms::of(&version.policy, scheme, term, school.told_apart()).is_some();
    let (scheme, term) = (scheme.as_str(), term.to_string());
    let of = |policy: i32| locks::Of { school: &school.school, region: &school.region, scheme, term: &term, policy };
    let known = store::open_list(tx, &school.school, scheme, &term).await?;
    if let Some((list, _, false)) = known {
        if is_open {
            locks::unlocked(ctx, tx, parts, of(version.number)).await?;
            // One that was removed, because nobody was on it, is there again.
            store::open_again(tx, list).await?;
        }
        if let Some(row) = found(tx, list).await? {
            // Of one on which nobody is nothing was decided under the version of then.
            if is_open && row.policy != version.number {
                store::lock_list(tx, &row.school, list).await?;
                if store::counts(tx, &[list]).await?.iter().all(|row| row.entries == 0) {
                    store::rebind(tx, list, version.number).await?;
                }
            }
            return one(tx, list).await;
        }
    }
    if !is_open {
        return Err(Refusal::field("term", "该学期不能建立名单：应在2016年以后、下一学期以前，且该学期的政策中有这个项目").into());
    }
    locks::unlocked(ctx, tx, parts, of(version.number)).await?;
    let supplement = known.map_or(0, |(_, last, _)| last + 1);
    let list = ctx.new_id();
    let new = NewList { list, school: &school.school, scheme, term: &term, supplement, policy: version.number };
    store::insert_list(tx, &new, ctx.now_us()).await?;
    one(tx, list).await
}

/// Removes a supplementary list on which nobody is. What was once tried with it stays on record; the next one that is opened is it again.
pub async fn remove_list(ctx: &Context, tx: &mut Tx, school: &str, list: Uuid) -> Result<(), Error> {
    let list = locked(ctx, tx, school, list, Permission::EnterForSchool).await?;
    let why = if list.supplement == 0 {
        "主名单不能删除，只有空的补充名单可以"
    } else if list.submitted {
        "该补充名单已提交过，不能删除"
    } else if store::counts(tx, &[list.list]).await?.iter().any(|row| row.entries > 0) {
        "该补充名单中还有学生，请先移除后再删除"
    } else {
        return Ok(store::set_list_state(tx, list.list, State::Removed).await?);
    };
    Err(Refusal::wrong_state(why).into())
}

async fn found(tx: &mut Tx, list: Uuid) -> Result<Option<ListRow>, StoreError> {
    let filter = Filter { list: Some(list), ..Filter::default() };
    Ok(store::lists(tx, &filter, &Turn::first(1)).await?.pop())
}

/// A list that is there.
pub async fn one(tx: &mut Tx, list: Uuid) -> Result<ListRow, Error> {
    found(tx, list).await?.ok_or_else(|| Refusal::not_found("该名单").into())
}

/// A list of a school, if the actor may do something there; locked.
async fn locked(ctx: &Context, tx: &mut Tx, school: &str, list: Uuid, permission: Permission) -> Result<ListRow, Error> {
    mirror::school_for(ctx, tx, school, permission).await?;
    if !store::lock_list(tx, school, list).await? {
        return Err(Refusal::not_found("该名单").into());
    }
    one(tx, list).await
}

/// A list of a school, if the actor may enter there: read alone.
async fn entered(ctx: &Context, tx: &mut Tx, school: &str, list: Uuid) -> Result<ListRow, Error> {
    mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let row = one(tx, list).await?;
    if row.school == school { Ok(row) } else { Err(Refusal::not_found("该名单").into()) }
}

/// A list of a school, if the actor may read there.
pub async fn readable(ctx: &Context, tx: &mut Tx, school: &str, list: Uuid) -> Result<ListRow, Error> {
    mirror::school_for(ctx, tx, school, Permission::ReadMoney).await?;
    let row = one(tx, list).await?;
    if row.school == school { Ok(row) } else { Err(Refusal::not_found("该名单").into()) }
}

/// Puts a list where the first of its waiting entries stands.
pub(crate) async fn settle(tx: &mut Tx, list: Uuid) -> Result<(), Error> {
    let counts: Vec<(State, i64)> = store::counts(tx, &[list]).await?.into_iter().map(|row| (row.state, row.entries)).collect();
    Ok(store::set_list_state(tx, list, rules::list_state(&counts)).await?)
}

/// By what a list goes: the policy under which it was opened, as that holds for its school.
pub(crate) struct Terms {
    scheme: SchemeCode,
    paid: Paid,
    rate: Rate,
    days: TermDays,
    term: Term,
    admits: bool,
}

impl Terms {
    /// What a policy says of a scheme and term for a school; none where it says nothing.
    pub(crate) fn of(policy: &Policy, scheme: SchemeCode, term: Term, school: School<'_>) -> Option<Self> {
        let scheme = policy.scheme(scheme)?;
        let (rate, days) = (scheme.rate_in(term, school.region)?.clone(), policy.days(term, school.region)?);
        Some(Self { scheme: scheme.code, paid: scheme.paid, rate, days, term, admits: policy.admits(scheme.code, term, school) })
    }

    fn asked(&self) -> Asked<'_> {
        Asked { term: self.term, paid: self.paid, rate: &self.rate, days: &self.days, admits: self.admits }
    }
}

impl ListRow {
    /// Its school, as policies tell schools apart.
    fn told_apart(&self) -> School<'_> {
        School { code: &self.school, region: &self.region, is_private: mirror::is_private(&self.kind) }
    }
}

fn terms(parts: &Parts, list: &ListRow) -> Result<Terms, Error> {
    let code = SchemeCode::parse(&list.scheme).ok_or(StoreError::Corrupt("scheme"))?;
    let term: Term = list.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let policies = parts.policies.now();
    Ok(Terms::of(policies.version(list.policy), code, term, list.told_apart()).ok_or_else(|| Refusal::wrong_state("该学期没有适用的政策"))?)
}

/// The day by which a list must be submitted; `None` where its policy has no such term.
fn due(parts: &Parts, list: &ListRow) -> Option<NaiveDate> {
    let term: Term = list.term.parse().ok()?;
    parts.policies.now().version(list.policy).days(term, &list.region).map(|days| days.due)
}

/// What a scheme is called.
pub(crate) fn scheme_name(parts: &Parts, scheme: &str) -> Result<String, StoreError> {
    let code = SchemeCode::parse(scheme).ok_or(StoreError::Corrupt("scheme"))?;
    Ok(parts.policies.now().scheme_name(code).to_owned())
}

fn ends(months: &[Month]) -> Result<(Month, Month), Error> {
    match (months.first(), months.last()) {
        (Some(first), Some(last)) => Ok((*first, *last)),
        _ => Err(Error::Internal("an entry without months".into())),
    }
}

/// Takes a draft or an entry that was sent back off the list; its flags close.
pub async fn remove(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, entry: Uuid) -> Result<EntryRow, Error> {
    let list = locked(ctx, tx, school, list, Permission::EnterForSchool).await?;
    let row = store::entries(tx, list.list).await?.into_iter().find(|row| row.entry == entry).ok_or_else(|| Refusal::not_found("名单中的该生"))?;
    after(row.state, Change::Remove).ok_or_else(|| Refusal::wrong_state(format!("该生在名单中为“{}”，只有草稿和被退回的可以移除", row.state.name())))?;
    store::set_states(ctx, tx, &[entry], State::Removed, "").await?;
    units::remove(tx, &[entry]).await?;
    settle(tx, list.list).await?;
    let touched = with_their_cards(tx, &[entry], vec![row.person_key]).await?;
    judge_keys(ctx, tx, parts, &touched, "list").await?;
    Ok(row)
}

/// Keys of entries, and of all others who name the cards of these: whether a card serves several is found of each of them.
async fn with_their_cards(tx: &mut Tx, entries: &[Uuid], mut keys: Vec<Uuid>) -> Result<Vec<Uuid>, Error> {
    if !entries.is_empty() {
        keys.extend(store::keys_of_their_cards(tx, entries).await?);
    }
    Ok(keys)
}

/// The end of an entry's number. Of whom the list was proposed from the enrolled, aid was never given it.
pub(crate) fn shown_number(ctx: &Context, parts: &Parts, entry: Uuid, sealed: &[u8]) -> String {
    if sealed.is_empty() { "（学籍库）".to_owned() } else { ctx.shown(parts.keyring.masked("id", &[entry], sealed)) }
}

/// Months of an entry as numbers.
pub fn month_numbers(months: &str) -> Vec<i32> {
    parse_months(months).into_iter().map(Month::number).collect()
}
