//! 资助名单: proposed from the enrolled or uploaded by the school, submitted, attested, approved entry by entry.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | lists, and what the clerk does with what is not submitted: opening and removing lists, proposing, taking off |
//! | [`edit`] | one entry edited where it stands, and what was sent back taken into the drafts again |
//! | [`rules`] | what the clerk may do with an entry, where a list stands |
//! | [`import`] | lists as files: what a row may hold, whom it means, what is taken back |
//! | [`rounds`] | submitting, and what desks do with what was submitted |
//! | [`kind`] | what a review needs to know of a list: each round is a dossier |
//! | [`units`] | what an entry covers: nobody draws a unit twice |
//! | [`told`] | lists and entries as clients are told of them |
//! | [`corrections`] | what was approved is put right: stopped, cut, voided |

pub mod api;
pub mod brief;
pub mod corrections;
pub mod edit;
pub mod import;
pub mod kind;
pub mod rounds;
pub mod rules;
mod store;
mod told;
pub mod units;

use std::collections::HashSet;

use uuid::Uuid;
use xuezhu_domain::{
    Fen, Month, Term, codes,
    enrollment::{PeriodState, Span},
    text,
};
use xuezhu_judge::{
    amount,
    case::{Claim, Enrollment, Person, PersonCase, Place},
    entry::State,
    policy::{
        Rate, Scheme, SchemeCode, TermDays,
        rules::{Facts, Why, plain_data},
    },
    rules::{holder, months_at},
};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Refusal, paging::Turn};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

// What other capabilities may ask.
pub(crate) use self::store::awards_of_keys;
use self::{
    rules::{Change, after},
    store::{Entered, EntryRow, Filter, ListRow},
};
use crate::{
    Parts, mirror,
    reconciliation::{self, judge_keys, months_text, parse_months},
};

/// Opens the main list, or, once that is submitted, a supplementary one; answers the list that is open already.
pub async fn create_list(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, scheme: SchemeCode, term: Term) -> Result<ListRow, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    if !parts.policies.is_open(term, ctx.today()) || parts.policies.scheme(scheme).rate_in(term).is_none() {
        return Err(Refusal::field("term", "该学期不能建立名单：应在2016年以后、下一学期以前，且有适用的政策").into());
    }
    let (scheme, term) = (scheme.as_str(), term.to_string());
    let supplement = match store::open_list(tx, &school.school, scheme, &term).await? {
        Some((list, _, false)) => {
            // One that was removed, because nobody was on it, is there again.
            store::open_again(tx, list).await?;
            return one(tx, list).await;
        }
        Some((_, last, true)) => last + 1,
        None => 0,
    };
    let list = ctx.new_id();
    store::insert_list(tx, list, &school.school, scheme, &term, supplement, ctx.now_us()).await?;
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

/// A list that is there.
pub async fn one(tx: &mut Tx, list: Uuid) -> Result<ListRow, Error> {
    let filter = Filter { list: Some(list), ..Filter::default() };
    store::lists(tx, &filter, &Turn::first(1)).await?.pop().ok_or_else(|| Refusal::not_found("该名单").into())
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

struct Terms<'p> {
    scheme: &'p Scheme,
    rate: &'p Rate,
    days: TermDays,
    term: Term,
}

fn terms<'p>(parts: &'p Parts, list: &ListRow) -> Result<Terms<'p>, Error> {
    let code = SchemeCode::parse(&list.scheme).ok_or(StoreError::Corrupt("scheme"))?;
    let term: Term = list.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let scheme = parts.policies.scheme(code);
    let rate = scheme.rate_in(term).ok_or_else(|| Refusal::wrong_state("该学期没有适用的政策"))?;
    let days = parts.policies.days(term).ok_or_else(|| Refusal::wrong_state("该学期没有日程"))?;
    Ok(Terms { scheme, rate, days, term })
}

/// Whom a proposal puts on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// Nobody: it is only said who would be.
    Nobody,
    /// Everybody who is proposed, or of them who is in a class, as many as were seen.
    All {
        /// The class; empty for all.
        class_name: String,
        /// How many were seen; 0 where nobody counted.
        seen: i32,
    },
    /// These of them.
    Of(HashSet<Uuid>),
}

impl Proposed {
    fn writes(&self) -> bool {
        *self != Self::Nobody
    }

    fn takes(&self, candidate: &Candidate) -> bool {
        match self {
            Self::Nobody => false,
            Self::All { class_name, .. } => class_name.is_empty() || candidate.place.class_name == *class_name,
            Self::Of(persons) => persons.contains(&candidate.person.person),
        }
    }
}

/// Puts the students on the list who are entitled by the plain data, all or some of them, and says why each is or is not.
pub async fn propose(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, wanted: &Proposed) -> Result<pb::ProposeAwardsResponse, Error> {
    let list = if wanted.writes() { locked(ctx, tx, school, list, Permission::EnterForSchool).await? } else { entered(ctx, tx, school, list).await? };
    if list.submitted && wanted.writes() {
        return Err(Refusal::wrong_state("名单已提交：请新建补充名单").into());
    }
    let terms = terms(parts, &list)?;
    let generation = if wanted.writes() { mirror::held_state(tx).await? } else { mirror::state(tx).await? }.generation;
    let keys = reconciliation::keys_at_school(tx, generation, school).await?;
    let cases = reconciliation::cases(tx, generation, &keys).await?;
    let listed: HashSet<Uuid> = store::entries_listed(tx, &list).await?.into_iter().collect();
    let numbers: HashSet<Uuid> = store::entries(tx, list.list).await?.into_iter().map(|row| row.person_key).collect();
    let mut answer = pb::ProposeAwardsResponse::default();
    let (mut entered, mut met) = (Vec::new(), HashSet::new());
    for case in &cases {
        for mut candidate in candidates(parts, case, school, &terms) {
            // Not by key alone: a number that was mistyped for another student's is the other's.
            let means = |claim: &&Claim| {
                holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day).is_some_and(|known| known.person == candidate.person.person)
            };
            let on_list = case.claims.iter().filter(|claim| listed.contains(&claim.entry)).any(|claim| means(&claim));
            if !on_list && candidate.key().is_some_and(|key| numbers.contains(&key)) {
                candidate.why = Why::NumberOnList;
            }
            let proposed = candidate.why.entitles() && !candidate.months.is_empty();
            match (proposed, on_list) {
                (true, true) => answer.present += 1,
                (true, false) => {
                    let is_wanted = wanted.takes(&candidate);
                    answer.added += i32::from(is_wanted || !wanted.writes());
                    if is_wanted {
                        met.insert(candidate.person.person);
                        entered.push(proposal(ctx, parts, &candidate, &terms)?);
                    }
                }
                (false, _) => answer.not_proposed += 1,
            }
            answer.candidates.push(pb::Candidate { listed: on_list, ..candidate.to_proto(&terms, proposed) });
        }
    }
    all_met(wanted, &met)?;
    if let Proposed::All { class_name, .. } = wanted
        && !class_name.is_empty()
        && !answer.candidates.iter().any(|candidate| candidate.class_name == *class_name)
    {
        return Err(Refusal::field("class_name", "本校没有学生在这个班，请刷新后重新选择班级").into());
    }
    answer.candidates.sort_by(|a, b| (&a.class_name, &a.name, &a.person).cmp(&(&b.class_name, &b.name, &b.person)));
    let touched: Vec<Uuid> = entered.iter().map(|row| row.person_key.0).collect();
    if !entered.is_empty() {
        store::insert_entries(ctx, tx, &list, &entered).await?;
        units::enter(ctx, tx, &list, &entered).await?;
        judge_keys(ctx, tx, parts, &touched, "list").await?;
    }
    Ok(answer)
}

/// Refuses whoever was named and is not proposed, or stands on the list by now, and others than were counted: nobody is left out unsaid.
fn all_met(wanted: &Proposed, met: &HashSet<Uuid>) -> Result<(), Error> {
    let persons = match wanted {
        Proposed::Nobody => return Ok(()),
        Proposed::All { seen, .. } => return Ok(Refusal::unless_seen(*seen, met.len())?),
        Proposed::Of(persons) => persons,
    };
    let strangers = persons.difference(met).count();
    if strangers == 0 {
        return Ok(());
    }
    let mut errors = FieldErrors::default();
    errors.add("persons", format!("其中{strangers}人现在不在建议列入的学生中（可能刚刚列入，或学籍有变化），请刷新后重新勾选"));
    errors.check()
}

/// A student who is looked at for a list.
struct Candidate<'c> {
    person: &'c Person,
    place: Place,
    why: Why,
    months: Vec<Month>,
}

impl Candidate<'_> {
    fn key(&self) -> Option<Uuid> {
        self.person.keys.iter().find(|bond| bond.end_recorded.is_none()).map(|bond| bond.value)
    }

    fn to_proto(&self, terms: &Terms, proposed: bool) -> pb::Candidate {
        let month = terms.rate.tier("").map_or(Fen(0), |tier| terms.rate.month_fen(tier));
        pb::Candidate {
            person: self.person.person.to_string(),
            name: self.person.name().to_owned(),
            class_name: self.place.class_name.clone(),
            major_name: codes::major_of_key(&self.place.major).map_or("", |major| major.name).to_owned(),
            proposed,
            reason: self.why.code().to_owned(),
            message: self.why.chinese().to_owned(),
            months: self.months.iter().map(|month| month.number()).collect(),
            amount_fen: amount::of_months(month, &self.months).0,
            listed: false,
        }
    }
}

/// Where somebody is in school at a school when the first of some months begins, or in it; else where they were last.
fn place_of<'c>(case: &'c PersonCase, person: &Person, school: &str, months: &[Month]) -> Option<(&'c Enrollment, &'c Span<Place>)> {
    let here = case.enrollments.iter().filter(|enrollment| enrollment.school == school && enrollment.person == Some(person.person));
    let spans = here.flat_map(|enrollment| enrollment.timeline.iter().map(move |span| (enrollment, span)));
    let spans: Vec<_> = spans.filter(|(_, span)| span.state.state == PeriodState::InSchool).collect();
    let latest = |fits: &dyn Fn(&Span<Place>) -> bool| {
        let fitting = spans.iter().filter(|(_, span)| fits(span));
        fitting.max_by_key(|(enrollment, span)| (enrollment.entry_date, enrollment.enrollment, span.from)).copied()
    };
    let first = months.first();
    let holds = first.and_then(|month| latest(&|span| span.contains(month.first_day())));
    let begins = || first.and_then(|month| latest(&|span| month.first_day() <= span.from && span.from < month.end()));
    holds.or_else(begins).or_else(|| latest(&|_| true))
}

fn candidates<'c>(parts: &Parts, case: &'c PersonCase, school: &str, terms: &Terms) -> Vec<Candidate<'c>> {
    let mut found = Vec::new();
    for person in &case.persons {
        let months = months_at(case, &parts.policies, person, school, terms.scheme, &terms.days);
        // What held in the first of the months decides, not what holds today.
        let Some((enrollment, span)) = place_of(case, person, school, &months) else { continue };
        let facts = Facts {
            entry: enrollment.entry_date,
            major: &span.state.major,
            study_form: &span.state.study_form,
            household: &span.state.household,
            residence: &span.state.residence,
            urban_rural: &span.state.urban_rural,
            registry: person.registry,
        };
        let why = if months.is_empty() { Why::NotInSchool } else { plain_data(Some(terms.rate), terms.term, facts) };
        found.push(Candidate { person, place: span.state.clone(), why, months });
    }
    found
}

/// An entry for a student who is proposed. Aid was never given the number, so it keeps only the key.
fn proposal(ctx: &Context, parts: &Parts, candidate: &Candidate, terms: &Terms) -> Result<Entered, Error> {
    let key = candidate.key().ok_or(StoreError::Corrupt("key of a person"))?;
    let tier = terms.rate.tier("").ok_or(StoreError::Corrupt("tier"))?;
    let month = terms.rate.month_fen(tier);
    let name = candidate.person.name().to_owned();
    let months = months_text(&candidate.months);
    let content = roll_content(&name, key, &candidate.months, &tier.name, "", "");
    let (first, last) = ends(&candidate.months)?;
    Ok(Entered {
        entry: Hex(ctx.new_id()),
        person_key: Hex(key),
        id_document: String::new(),
        id_sealed: Bytes(Vec::new()),
        name_comparable: text::comparable_name(&name),
        name,
        // What was read from a number can differ from the person; here no number was read.
        sex: None,
        birth_date: None,
        first_day: first.first_day(),
        last_day: last.first_day(),
        amount_fen: amount::of_months(month, &candidate.months).0,
        month_fen: month.0,
        months,
        tier: tier.name.clone(),
        card_sealed: None,
        remark: String::new(),
        content_hash: Bytes(parts.keyring.content_hash(content.as_bytes()).to_vec()),
    })
}

/// The content of an entry that was proposed from the roll, as one text: equal for equal entries.
fn roll_content(name: &str, key: Uuid, months: &[Month], tier: &str, card: &str, remark: &str) -> String {
    let typed = if card.is_empty() && remark.is_empty() { String::new() } else { format!("\n{card}\n{remark}") };
    format!("{name}\nkey {key}\n{}\n{tier}{typed}", months_text(months))
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
    store::set_states(tx, &[entry], State::Removed, "").await?;
    units::remove(tx, &[entry]).await?;
    settle(tx, list.list).await?;
    judge_keys(ctx, tx, parts, &[row.person_key], "list").await?;
    Ok(row)
}

/// The end of an entry's number. Of whom the list was proposed from the enrolled, aid was never given it.
pub(crate) fn shown_number(ctx: &Context, parts: &Parts, entry: Uuid, sealed: &[u8]) -> String {
    if sealed.is_empty() { "（学籍库）".to_owned() } else { ctx.shown(parts.keyring.masked("id", &[entry], sealed)) }
}

/// Months of an entry as numbers.
pub fn month_numbers(months: &str) -> Vec<i32> {
    parse_months(months).into_iter().map(Month::number).collect()
}
