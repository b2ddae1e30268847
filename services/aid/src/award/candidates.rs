//! Who of the roll may be on a list, and why each is proposed or not. Of a large school this is said class by class: whoever is looked at is
//! judged, and that is in proportion to how many they are.

use std::collections::HashSet;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{
    Fen, Month, Term, codes,
    enrollment::{PeriodState, Span},
    text,
};
use xuezhu_judge::{
    amount,
    case::{Claim, ClaimStage, Enrollment, Person, PersonCase, Place, StatementKind},
    policy::{Policies, Rate, Tier, rules::Why},
    rules::{Given, holder, months_at, said},
};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Refusal};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

use super::{
    Terms, ends, entered, locked, locks,
    store::{self, Entered, ListRow},
    terms, units,
};
use crate::{
    Parts, mirror,
    reconciliation::{self, Attending, judge_keys, months_text},
};

/// Who of the roll is looked at for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Among {
    /// Everybody of the school.
    School,
    /// Whoever is in this class.
    Class(String),
    /// These.
    Persons(HashSet<Uuid>),
}

/// What is done with those of them who are proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// It is said who would be on the list. Of more than `most` nobody is looked at, and only the classes are said; 0 for however many.
    Say {
        /// How many.
        most: usize,
    },
    /// They are put on the list.
    Put {
        /// How many were seen to be proposed; 0 where nobody counted.
        seen: i32,
    },
}

/// How long before and after a term somebody was in school, or on leave, who is looked at for its lists: who left then is told to be gone, and
/// not who left years ago.
fn within(term: Term) -> [NaiveDate; 2] {
    [term.before().before().first_day(), term.next().next().end()]
}

/// Puts the students on the list who are entitled by the plain data, and says why each is or is not.
pub async fn propose(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, among: &Among, aim: Aim) -> Result<pb::ProposeAwardsResponse, Error> {
    let puts = matches!(aim, Aim::Put { .. });
    let list = if puts { locked(ctx, tx, school, list, Permission::EnterForSchool).await? } else { entered(ctx, tx, school, list).await? };
    if list.submitted && puts {
        return Err(Refusal::wrong_state("名单已提交：请新建补充名单").into());
    }
    if puts {
        locks::unlocked(ctx, tx, parts, locks::Of::list(&list)).await?;
    }
    let terms = terms(parts, &list)?;
    let generation = if puts { mirror::held_state(tx).await? } else { mirror::state(tx).await? }.generation;
    let attending = Attending { generation, school, within: within(terms.term) };
    let keys = match among {
        Among::School => reconciliation::keys_at_school(tx, attending).await?,
        Among::Class(class) => reconciliation::keys_of_class(tx, attending, class).await?,
        Among::Persons(persons) => reconciliation::keys_of_persons(tx, attending, persons.iter().copied()).await?,
    };
    let mut answer = pb::ProposeAwardsResponse {
        term: list.term.clone(),
        scheme_name: super::scheme_name(parts, &list.scheme)?,
        supplement: list.supplement,
        closed_to_new: list.submitted,
        ..pb::ProposeAwardsResponse::default()
    };
    if let Aim::Say { most } = aim {
        answer.classes = classes(tx, attending, &list, &terms).await?;
        let students = answer.classes.iter().map(|class| usize::try_from(class.students).unwrap_or(0)).sum::<usize>();
        if most > 0 && *among == Among::School && students > most {
            return Ok(answer);
        }
    }
    let cases = reconciliation::cases(tx, generation, &keys).await?;
    let policies = parts.policies.now();
    let (mut entered, mut met) = (Vec::new(), HashSet::new());
    for case in &cases {
        for mut candidate in candidates(&policies, case, school, &terms).into_iter().filter(|candidate| candidate.is_among(among)) {
            // Not by key alone: a number that was mistyped for another student's is the other's.
            let means = |claim: &&Claim| {
                holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day).is_some_and(|known| known.person == candidate.person.person)
            };
            let on_list = case.claims.iter().filter(|claim| is_listed(claim, &list, terms.term)).any(|claim| means(&claim));
            if !on_list && case.claims.iter().any(|claim| claim.list == list.list && Some(claim.key) == candidate.key()) {
                candidate.why = Why::NumberOnList;
            }
            let proposed = candidate.why.entitles() && !candidate.months.is_empty();
            match (proposed, on_list) {
                (true, true) => answer.present += 1,
                (true, false) => {
                    answer.added += 1;
                    met.insert(candidate.person.person);
                    if puts {
                        entered.push(proposal(ctx, parts, &candidate, &terms)?);
                    }
                }
                (false, _) => answer.not_proposed += 1,
            }
            answer.candidates.push(pb::Candidate { listed: on_list, ..candidate.to_proto(&terms, proposed) });
        }
    }
    if let Aim::Put { seen } = aim {
        all_met(among, seen, &met)?;
    }
    let is_class = |name: &str| answer.classes.iter().any(|class| class.class_name == name);
    if let Among::Class(name) = among
        && answer.candidates.is_empty()
        && !is_class(name)
    {
        return Err(Refusal::field("class_name", "本校没有学生在这个班，请刷新后重新选择班级").into());
    }
    answer.candidates.sort_by(|a, b| (&a.class_name, &a.name, &a.person).cmp(&(&b.class_name, &b.name, &b.person)));
    let touched: Vec<Uuid> = entered.iter().map(|row| row.person_key.0).collect();
    if !entered.is_empty() {
        store::insert_entries(ctx, tx, &list, &entered).await?;
        units::enter(ctx, tx, &list, terms.paid, &entered).await?;
        judge_keys(ctx, tx, parts, &touched, "list").await?;
    }
    Ok(answer)
}

/// Whether a claim stands on this list, or on another of its school, scheme and term, where it was not sent back, and something is left of it.
fn is_listed(claim: &Claim, list: &ListRow, term: Term) -> bool {
    let of_its_kind = claim.school == list.school && claim.scheme.as_str() == list.scheme && claim.term == term;
    claim.list == list.list || (of_its_kind && claim.stage != ClaimStage::SentBack && !claim.months.is_empty())
}

/// The classes in which students are in the months of a list, with how many are in each and on lists of its kind.
async fn classes(tx: &mut Tx, attending: Attending<'_>, list: &ListRow, terms: &Terms) -> Result<Vec<pb::CandidateClass>, Error> {
    let (from, to) = ends(&terms.days.months)?;
    let attending = Attending { within: [from.first_day(), to.end()], ..attending };
    let rows = store::classes(tx, attending, list).await?;
    Ok(rows.into_iter().map(|row| pb::CandidateClass { class_name: row.class_name, students: count(row.students), listed: count(row.listed) }).collect())
}

fn count(rows: i64) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

/// Refuses whoever was named and is not proposed, or stands on the list by now, and others than were counted: nobody is left out unsaid.
fn all_met(among: &Among, seen: i32, met: &HashSet<Uuid>) -> Result<(), Error> {
    let Among::Persons(persons) = among else { return Ok(Refusal::unless_seen(seen, met.len())?) };
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
    /// The tier that is proposed.
    tier: Option<Tier>,
}

impl Candidate<'_> {
    fn key(&self) -> Option<Uuid> {
        self.person.keys.iter().find(|bond| bond.end_recorded.is_none()).map(|bond| bond.value)
    }

    /// What the months come to, by the tier that is proposed.
    fn fen(&self, terms: &Terms) -> Fen {
        let month = self.tier.as_ref().map_or(Fen(0), |tier| terms.rate.month_fen(tier));
        amount::of_months(month, &self.months)
    }

    fn is_among(&self, among: &Among) -> bool {
        match among {
            Among::School => true,
            Among::Class(class) => self.place.class_name == *class,
            Among::Persons(persons) => persons.contains(&self.person.person),
        }
    }

    fn to_proto(&self, terms: &Terms, proposed: bool) -> pb::Candidate {
        pb::Candidate {
            person: self.person.person.to_string(),
            name: self.person.name().to_owned(),
            class_name: self.place.class_name.clone(),
            major_name: codes::major_of_key(&self.place.major).map_or("", |major| major.name).to_owned(),
            proposed,
            reason: self.why.code().to_owned(),
            message: self.why.chinese().to_owned(),
            months: self.months.iter().map(|month| month.number()).collect(),
            amount_fen: self.fen(terms).0,
            listed: false,
        }
    }
}

/// Where somebody is or was in school at a school.
fn in_school<'c>(case: &'c PersonCase, person: &Person, school: &str) -> impl Iterator<Item = (&'c Enrollment, &'c Span<Place>)> {
    let here = case.enrollments.iter().filter(move |enrollment| enrollment.school == school && enrollment.person == Some(person.person));
    let spans = here.flat_map(|enrollment| enrollment.timeline.iter().map(move |span| (enrollment, span)));
    spans.filter(|(_, span)| span.state.state == PeriodState::InSchool)
}

/// Where somebody is in school at a school when the first of some months begins, or in it; else where they were last.
pub(super) fn place_of<'c>(case: &'c PersonCase, person: &Person, school: &str, months: &[Month]) -> Option<(&'c Enrollment, &'c Span<Place>)> {
    let spans: Vec<_> = in_school(case, person, school).collect();
    let latest = |fits: &dyn Fn(&Span<Place>) -> bool| {
        let fitting = spans.iter().filter(|(_, span)| fits(span));
        fitting.max_by_key(|(enrollment, span)| (enrollment.entry_date, enrollment.enrollment, span.from)).copied()
    };
    let first = months.first();
    let holds = first.and_then(|month| latest(&|span| span.contains(month.first_day())));
    let begins = || first.and_then(|month| latest(&|span| month.first_day() <= span.from && span.from < month.end()));
    holds.or_else(begins).or_else(|| latest(&|_| true))
}

/// Of months that are the school's: what the policy gives of them. Where only the entitled may draw it, each month is looked at; else the first of
/// them decides.
fn given(rate: &Rate, mut months: Vec<(Month, Given)>) -> (Why, Vec<Month>, Option<Tier>) {
    let first_given = months.iter().find(|(_, given)| rate.only_entitled && given.why.entitles()).or(months.first());
    let Some(why) = first_given.map(|(_, given)| given.why) else { return (Why::NotInSchool, Vec::new(), rate.tier("").cloned()) };
    months.retain(|(_, given)| !rate.only_entitled || !why.entitles() || given.why.entitles());
    // An entry has one tier: that which is for them in all of its months.
    let tiers = months.iter().filter_map(|(_, given)| rate.proposed(&given.grounds, &given.level));
    let tier = tiers.min_by_key(|tier| tier.yuan).or_else(|| rate.tier("")).cloned();
    (why, months.into_iter().map(|(month, _)| month).collect(), tier)
}

fn candidates<'c>(policies: &Policies, case: &'c PersonCase, school: &str, terms: &Terms) -> Vec<Candidate<'c>> {
    let mut found = Vec::new();
    for person in &case.persons {
        // What held in the months decides, not what holds today; of what goes by term, what held on the count day, as for whoever is missing.
        let (why, months, tier) = given(&terms.rate, months_at(case, policies, person, school, terms.asked()));
        // Who signed not to want it is not proposed; on a list they stand until somebody takes them off.
        let waives = said(case, policies, person, school, (terms.scheme, terms.term)) == Some(StatementKind::Waiver);
        let why = if why.entitles() && waives { Why::Waived } else { why };
        // The class is that of the first month either way.
        let Some((_, span)) = place_of(case, person, school, &months) else { continue };
        found.push(Candidate { person, place: span.state.clone(), why, months, tier });
    }
    found
}

/// What is said of somebody for a list, by its policy.
pub(crate) struct Told {
    pub person: Uuid,
    pub name: String,
    pub class_name: String,
    pub why: Why,
    pub months: Vec<Month>,
    /// What the months come to.
    pub fen: Fen,
}

/// What is said of everybody of a case who is or was in school at a school, for a list that goes by these terms.
pub(crate) fn dues(policies: &Policies, case: &PersonCase, school: &str, terms: &Terms) -> Vec<Told> {
    let told = |candidate: Candidate<'_>| Told {
        person: candidate.person.person,
        name: candidate.person.name().to_owned(),
        class_name: candidate.place.class_name.clone(),
        why: candidate.why,
        fen: candidate.fen(terms),
        months: candidate.months,
    };
    candidates(policies, case, school, terms).into_iter().map(told).collect()
}

/// An entry for a student who is proposed. Aid was never given the number, so it keeps only the key.
fn proposal(ctx: &Context, parts: &Parts, candidate: &Candidate, terms: &Terms) -> Result<Entered, Error> {
    let key = candidate.key().ok_or(StoreError::Corrupt("key of a person"))?;
    let tier = candidate.tier.as_ref().ok_or(StoreError::Corrupt("tier"))?;
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
        card_key: None,
        card_kind: 0,
        card_holder: String::new(),
        remark: String::new(),
        content_hash: Bytes(parts.keyring.content_hash(content.as_bytes()).to_vec()),
    })
}

/// The content of an entry that was proposed from the roll, as one text: equal for equal entries.
pub(super) fn roll_content(name: &str, key: Uuid, months: &[Month], tier: &str, card: &str, remark: &str) -> String {
    let typed = if card.is_empty() && remark.is_empty() { String::new() } else { format!("\n{card}\n{remark}") };
    format!("{name}\nkey {key}\n{}\n{tier}{typed}", months_text(months))
}
