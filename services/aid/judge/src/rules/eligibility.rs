//! Whether the policy gives a scheme to somebody: who may enter it, and who still meets what it asks, month by month.

use chrono::NaiveDate;
use xuezhu_domain::{Month, RegistryAnswer, Term};

use super::{Judge, holder};
use crate::{
    case::{Claim, Excluded, Finding, Person, PersonCase, Rule},
    cause::Cause,
    policy::{
        Ground, Paid, Policies, Rate, TermDays,
        rules::{Facts, Why, grounds, plain_data},
    },
};

/// What a policy asks of a scheme in a term.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'p> {
    /// Which.
    pub term: Term,
    /// By month or by term.
    pub paid: Paid,
    /// Who is entitled.
    pub rate: &'p Rate,
    /// The days of the term.
    pub days: &'p TermDays,
    /// Whether students of the school may be given it at all.
    pub admits: bool,
}

/// Whether the policy gives a month to somebody, and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Why, or why not.
    pub why: Why,
    /// The same whatever school it is.
    pub elsewhere: Why,
    /// Grade in the term.
    pub grade: i32,
    /// Every ground that holds.
    pub grounds: Vec<Ground>,
    /// 困难等级 that was determined; empty where there is none.
    pub level: String,
}

/// The months of a term that belong to a school for a student, each with whether the policy gives it.
pub fn months_at(case: &PersonCase, policies: &Policies, person: &Person, school: &str, asked: Asked) -> Vec<(Month, Given)> {
    let judge = Judge { case, policies, as_of: asked.days.count_day };
    let given = |month: &Month| judge.given_in(person, school, asked, *month, person.registry).map(|given| (*month, given));
    asked.days.months.iter().filter_map(given).collect()
}

impl<'c> Judge<'c> {
    /// The 困难等级 of a person on a day: of those that hold then, what was determined last; empty where there is none.
    pub(super) fn hardship_on(&self, person: &Person, day: NaiveDate) -> &'c str {
        let theirs = |key, name: &str, recorded| holder(&self.case.persons, key, name, recorded).is_some_and(|known| known.person == person.person);
        let mut latest_first = self.case.levels.iter().rev();
        latest_first
            .find(|level| level.from <= day && day < level.to && theirs(level.key, &level.name_comparable, level.recorded_day))
            .map_or("", |level| level.level.as_str())
    }

    /// What the policy of a claim's list asks of whoever is on it; none where it has no rate for it.
    pub(super) fn asked_of<'d>(&self, claim: &Claim, days: &'d TermDays) -> Option<Asked<'d>>
    where
        'c: 'd,
    {
        let rate = self.rate_of(claim)?;
        let admits = self.policies.version(claim.policy).admits(claim.scheme, claim.term, self.case.school(&claim.school));
        Some(Asked { term: claim.term, paid: self.paid(claim.scheme), rate, days, admits })
    }

    /// Months that are the school's, and that the policy of the list gives to none such.
    pub(super) fn of_eligibility(&self, claim: &Claim, person: &Person, days: &TermDays, findings: &mut Vec<Finding>) {
        let Some(asked) = self.asked_of(claim, days).filter(|asked| asked.rate.only_entitled || !asked.admits) else { return };
        let mut excluded: Vec<Excluded> = Vec::new();
        for month in &claim.months {
            // Whether the registry knows the person is a rule of its own.
            let found = self.given_in(person, &claim.school, asked, *month, RegistryAnswer::Confirmed);
            let Some(given) = found.filter(|given| !given.why.entitles()) else { continue };
            // What would exclude them at any school stands beside it: whoever says that this school is let in has not looked at it.
            let beside = (given.elsewhere != given.why && asked.rate.only_entitled && !given.elsewhere.entitles()).then_some(given.elsewhere);
            for why in [Some(given.why), beside].into_iter().flatten() {
                match excluded.iter_mut().find(|known| known.why == why.code() && known.grade == given.grade) {
                    Some(known) => known.months.push(*month),
                    None => excluded.push(Excluded { why: why.code().to_owned(), grade: given.grade, months: vec![*month] }),
                }
            }
        }
        if excluded.is_empty() {
            return;
        }
        let months = excluded.iter().flat_map(|excluded| excluded.months.iter().copied()).collect();
        let mut evidence = self.evidence(claim, Some(person));
        evidence.excluded = excluded;
        let policy = self.policies.version(claim.policy);
        if let Some(list) = policy.private_list(claim.scheme, claim.term, self.case.region(&claim.school)).filter(|_| !asked.admits) {
            evidence.policy.clear();
            evidence.policy_source.clone_from(&list.source);
        }
        let cause = Cause::Excluded { scheme: claim.scheme, term: claim.term, list: claim.list };
        findings.push(self.finding(Rule::NotEligible, claim, months, evidence, cause));
    }

    /// Whether a month is given to somebody at a school; none where it is not that school's. Where sources disagree and there are several places
    /// there, any that is entitled will do.
    pub(super) fn given_in(&self, person: &Person, school: &str, asked: Asked, month: Month, registry: RegistryAnswer) -> Option<Given> {
        let day = self.day_of(person, asked.paid, asked.days, month)?;
        let mut found = None;
        for enrollment in self.in_school_on(person, day).into_iter().filter(|enrollment| enrollment.school == school) {
            let level = self.hardship_on(person, day);
            let facts = Facts::of(enrollment, enrollment.in_school_on(day)?, registry, level);
            let elsewhere = plain_data(Some(asked.rate), asked.term, facts);
            let why = if asked.admits { elsewhere } else { Why::SchoolNotListed };
            let grade = asked.term.grade_of_entry(Term::of(enrollment.entry_date));
            found = Some(Given { why, elsewhere, grade, grounds: grounds(asked.rate, facts), level: level.to_owned() });
            if elsewhere.entitles() {
                break;
            }
        }
        found
    }
}
