//! Whether the policy gives a scheme to somebody: who may enter it, and who still meets what it asks, month by month.

use chrono::NaiveDate;
use xuezhu_domain::{Month, RegistryAnswer, Term};

use super::{Judge, holder};
use crate::{
    case::{Claim, Excluded, Finding, Person, PersonCase, Rule},
    cause::Cause,
    policy::{
        Paid, Policies, Rate, TermDays,
        rules::{Facts, Why, plain_data},
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
}

/// The months of a term that belong to a school for a student, each with whether the policy gives it.
pub fn months_at(case: &PersonCase, policies: &Policies, person: &Person, school: &str, asked: Asked) -> Vec<(Month, Why)> {
    let judge = Judge { case, policies, as_of: asked.days.count_day };
    let why = |month: &Month| judge.why_in(person, school, asked, *month, person.registry).map(|(why, _)| (*month, why));
    asked.days.months.iter().filter_map(why).collect()
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

    /// Months that are the school's, and that the policy of the list gives to none such.
    pub(super) fn of_eligibility(&self, claim: &Claim, person: &Person, days: &TermDays, findings: &mut Vec<Finding>) {
        let scheme = self.policies.version(claim.policy).scheme(claim.scheme);
        let rate = scheme.and_then(|scheme| scheme.rate_in(claim.term, self.case.region(&claim.school)));
        let Some(rate) = rate.filter(|rate| rate.only_entitled) else { return };
        let asked = Asked { term: claim.term, paid: self.paid(claim.scheme), rate, days };
        let mut excluded: Vec<Excluded> = Vec::new();
        for month in &claim.months {
            // Whether the registry knows the person is a rule of its own.
            let found = self.why_in(person, &claim.school, asked, *month, RegistryAnswer::Confirmed);
            let Some((why, grade)) = found.filter(|(why, _)| !why.entitles()) else { continue };
            match excluded.iter_mut().find(|known| known.why == why.code() && known.grade == grade) {
                Some(known) => known.months.push(*month),
                None => excluded.push(Excluded { why: why.code().to_owned(), grade, months: vec![*month] }),
            }
        }
        if excluded.is_empty() {
            return;
        }
        let months = excluded.iter().flat_map(|excluded| excluded.months.iter().copied()).collect();
        let mut evidence = self.evidence(claim, Some(person));
        evidence.excluded = excluded;
        let cause = Cause::Excluded { scheme: claim.scheme, term: claim.term, list: claim.list };
        findings.push(self.finding(Rule::NotEligible, claim, months, evidence, cause));
    }

    /// Whether a month is given to somebody at a school, with the grade; none where it is not that school's. Where sources disagree and there are
    /// several places there, any that is entitled will do.
    fn why_in(&self, person: &Person, school: &str, asked: Asked, month: Month, registry: RegistryAnswer) -> Option<(Why, i32)> {
        let day = self.day_of(person, asked.paid, asked.days, month)?;
        let mut found = None;
        for enrollment in self.in_school_on(person, day).into_iter().filter(|enrollment| enrollment.school == school) {
            let facts = Facts::of(enrollment, enrollment.in_school_on(day)?, registry, self.hardship_on(person, day));
            let why = plain_data(Some(asked.rate), asked.term, facts);
            found = Some((why, asked.term.grade_of_entry(Term::of(enrollment.entry_date))));
            if why.entitles() {
                break;
            }
        }
        found
    }
}
