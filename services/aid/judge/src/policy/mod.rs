//! Policies as data. A deployment goes by one policy at a time, in versions: each holds from a day, and what was decided under one stays.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | versions, and which of them holds for what |
//! | [`file`] | a policy as it is written: TOML, read as a whole |
//! | `checks` | what is asked of it before it is taken |
//! | [`scheme`] | what a scheme is: rates, tiers, grounds, payee |
//! | [`quota`] | how many may be given a scheme |
//! | [`sharing`] | by whom a cost is borne |
//! | [`private`] | which private schools may be given aid |
//! | [`rules`] | who is entitled by the plain data |

mod checks;
pub mod file;
pub mod private;
pub mod quota;
pub mod rules;
pub mod scheme;
pub mod sharing;

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;
use xuezhu_domain::{Month, Season, Term};

pub use self::{
    file::{Fault, Policy, PolicyError},
    private::{PrivateSchools, School},
    quota::{Each, Quota},
    scheme::{Exclusion, Ground, Paid, Payee, Rate, Scheme, SchemeCode, Tier},
    sharing::{Share, Sharing},
};
use crate::case::Rule;

/// Terms for which lists may be made begin in this year; the notice of 2016 put the systems into full use.
const FIRST_TERM_YEAR: i32 = 2016;

/// The number of the first version.
pub const FIRST_VERSION: i32 = 1;

/// The first term for which lists may be made.
pub fn first_term() -> Term {
    Term::new(FIRST_TERM_YEAR, Season::Spring)
}

/// The days of a term that matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermDays {
    /// Which.
    pub term: Term,
    /// Months that are paid, in order.
    pub months: Vec<Month>,
    /// The day by whose state a waiver goes.
    pub count_day: NaiveDate,
    /// The day by which a list must be submitted.
    pub due: NaiveDate,
    /// The last day on which lists can be worked on; none where they never lock.
    pub lock: Option<NaiveDate>,
    /// From when on aid stops that goes by month.
    pub stop: Stop,
}

/// From when on aid that goes by month stops, of whoever leaves school in the middle of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stop {
    /// From the month after it: who is in school when a month begins is given it.
    #[default]
    NextMonth,
    /// From that month: who is in school nowhere when a month ends is not given it.
    SameMonth,
}

impl Stop {
    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::NextMonth => "离校（含休学）的次月停发",
            Self::SameMonth => "离校（含休学）的当月停发",
        }
    }
}

/// Of rows, each for regions with some first digits, the one for the smallest region in which `region` lies.
fn nearest<'r, R>(rows: impl Iterator<Item = &'r R>, region: &str, of: impl Fn(&R) -> &String) -> Option<&'r R> {
    rows.filter(|row| region.starts_with(of(row).as_str())).max_by_key(|row| of(row).len())
}

/// How small the smallest of these regions is, each by its first digits, that a region lies in; 0 where there are none, which is everywhere.
fn nearness(regions: &[String], region: &str) -> Option<usize> {
    if regions.is_empty() {
        return Some(0);
    }
    regions.iter().filter(|own| region.starts_with(own.as_str())).map(String::len).max()
}

/// Of rows, each for some regions or for all, the one for the smallest of them that a region lies in.
fn smallest<'r, R>(rows: impl Iterator<Item = &'r R>, region: &str, of: impl Fn(&R) -> &[String]) -> Option<&'r R> {
    rows.filter_map(|row| Some((nearness(of(row), region)?, row))).max_by_key(|(nearness, _)| *nearness).map(|(_, row)| row)
}

/// A version of the deployment's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub number: i32,
    /// From which day it holds; the first one always did.
    pub from: NaiveDate,
    /// What it says.
    pub policy: Arc<Policy>,
}

/// Every version of the deployment's policy that was signed, by number. A later one holds from no earlier day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    versions: Vec<Version>,
}

impl Policies {
    /// Of these versions; `None` where there is none, or where they are out of order.
    pub fn of(mut versions: Vec<Version>) -> Option<Self> {
        versions.sort_by_key(|version| version.number);
        let in_order = versions.windows(2).all(|pair| pair[0].number < pair[1].number && pair[0].from <= pair[1].from);
        (!versions.is_empty() && in_order).then_some(Self { versions })
    }

    /// One policy that always held.
    pub fn always(policy: Policy) -> Self {
        Self { versions: vec![Version { number: FIRST_VERSION, from: NaiveDate::MIN, policy: Arc::new(policy) }] }
    }

    /// That which comes with the program.
    pub fn built_in() -> Self {
        Self::always(Policy::built_in())
    }

    /// All of them.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The newest, whether it holds yet or not.
    pub fn newest(&self) -> &Version {
        &self.versions[self.versions.len() - 1]
    }

    /// The version that holds on a day.
    pub fn on(&self, day: NaiveDate) -> &Version {
        self.versions.iter().rev().find(|version| version.from <= day).unwrap_or(&self.versions[0])
    }

    /// A version by its number: what a list goes by that was opened under it. Of one that is not known yet, the newest that is.
    pub fn version(&self, number: i32) -> &Policy {
        &self.versions.iter().rev().find(|version| version.number <= number).unwrap_or(&self.versions[0]).policy
    }

    /// What holds of a term as far as no list says otherwise: the version that holds while the term lasts, and, once it is over, the last one
    /// that held in it.
    pub fn of_term(&self, term: Term, as_of: NaiveDate) -> &Version {
        self.on(as_of.min(term.end() - chrono::Days::new(1)))
    }

    /// Whether it is judged by a rule on a day.
    pub fn judges_by(&self, rule: Rule, as_of: NaiveDate) -> bool {
        self.on(as_of).policy.judges_by(rule)
    }

    /// Whether any version says other things of some schools than of others: by region, or of those that are private.
    pub fn tells_schools_apart(&self) -> bool {
        self.versions.iter().any(|version| version.policy.regions().len() > 1 || !version.policy.private_schools().is_empty())
    }

    /// Changes with any word of what holds or held on a day.
    pub fn fingerprint(&self, as_of: NaiveDate) -> [u8; 32] {
        let mut hash = blake3::Hasher::new();
        for version in self.versions.iter().filter(|version| version.from <= as_of || version.number == FIRST_VERSION) {
            hash.update(&version.number.to_be_bytes()).update(version.from.to_string().as_bytes()).update(version.policy.fingerprint().as_bytes());
        }
        *hash.finalize().as_bytes()
    }

    /// A scheme's name, as the newest version that has it says.
    pub fn scheme_name(&self, code: SchemeCode) -> &str {
        self.versions.iter().rev().find_map(|version| version.policy.scheme(code)).map_or(code.as_str(), |scheme| &scheme.name)
    }

    /// A scheme that any version has, by what a stranger calls it.
    pub fn scheme_called(&self, text: &str) -> Option<SchemeCode> {
        let known = self.versions.iter().flat_map(|version| version.policy.schemes()).map(|scheme| scheme.code);
        SchemeCode::OF_STATE.into_iter().chain(known).find(|code| code.as_str() == text)
    }

    /// By what a scheme goes: its own for good.
    pub fn paid(&self, code: SchemeCode) -> Option<Paid> {
        self.versions.iter().find_map(|version| version.policy.scheme(code)).map(|scheme| scheme.paid)
    }

    /// Why a policy can't come behind these: what of a scheme is its own for good would be another.
    pub fn refuses(&self, next: &Policy) -> Option<String> {
        let other = next.schemes().iter().find(|scheme| self.paid(scheme.code).is_some_and(|paid| paid != scheme.paid))?;
        Some(format!("项目“{}”原来的发放方式（paid：按月或按学期）不能改变", other.name))
    }

    /// Terms whose lists became overdue after `from` and up to `to`, by region: whose due day lies in `[from, to)` for schools of regions with
    /// these first digits. Digits that are longer go first; a school goes by the longest that are its own.
    pub fn overdue_between(&self, from: NaiveDate, to: NaiveDate) -> Vec<(String, TermDays)> {
        // A due day may lie in the term after its own.
        let mut term = Term::of(Term::of(from).first_day() - chrono::Days::new(1));
        let mut overdue = Vec::new();
        while term.first_day() <= to {
            let policy = &self.of_term(term, to).policy;
            let due = |region: &str| policy.days(term, region).filter(|days| from <= days.due && days.due < to).map(|days| (region.to_owned(), days));
            overdue.extend(policy.regions().into_iter().rev().filter_map(due));
            term = term.next();
        }
        overdue
    }
}

/// Whether lists of a term may be made on a day: from 2016 to the coming term.
pub fn is_open(term: Term, today: NaiveDate) -> bool {
    term.year() >= FIRST_TERM_YEAR && term <= Term::of(today).next().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_due_day_passes_once() {
        let policies = Policies::built_in();
        let overdue = |from: &str, to: &str| policies.overdue_between(day(from), day(to)).len();
        assert_eq!(overdue("2016-11-01", "2016-11-30"), 0);
        assert_eq!(overdue("2016-11-30", "2016-12-01"), 1);
        assert_eq!(overdue("2016-12-01", "2017-04-30"), 0);
        assert_eq!(overdue("2016-11-01", "2017-06-01"), 2);
    }

    #[test]
    fn a_version_holds_from_its_day_and_what_was_over_by_then_stays() {
        let later = file::BUILT_IN.replace("due = \"11-30\"", "due = \"12-15\"");
        let version = |number: i32, from: NaiveDate, text: &str| Version { number, from, policy: Arc::new(Policy::parse(text).expect("is sound")) };
        let versions = vec![version(1, NaiveDate::MIN, file::BUILT_IN), version(2, day("2026-10-10"), &later)];
        let policies = Policies::of(versions.clone()).expect("in order");
        assert_eq!([day("2026-10-09"), day("2026-10-10")].map(|day| policies.on(day).number), [1, 2]);
        let due = |term: &str, as_of: &str| {
            let term: Term = term.parse().expect("a term");
            policies.of_term(term, day(as_of)).policy.days(term, "").expect("a season").due.to_string()
        };
        assert_eq!(due("2026-AUTUMN", "2026-10-09"), "2026-11-30", "before it holds");
        assert_eq!(due("2026-AUTUMN", "2026-10-10"), "2026-12-15", "while the term lasts");
        assert_eq!(due("2025-AUTUMN", "2026-10-10"), "2025-11-30", "a term that was over");
        assert_ne!(policies.fingerprint(day("2026-10-09")), policies.fingerprint(day("2026-10-10")));
        assert!(Policies::of(versions.iter().rev().cloned().collect()).is_some(), "they are put in order");
        assert!(Policies::of(vec![version(1, day("2026-10-10"), file::BUILT_IN), version(2, day("2026-10-09"), &later)]).is_none());
        assert!(Policies::of(Vec::new()).is_none());
    }
}
