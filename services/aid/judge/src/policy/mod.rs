//! Policies as data: schemes, rates, eligibility, terms and their months. Parsed from TOML and checked as a whole.

pub mod rules;

use chrono::NaiveDate;
use serde::Deserialize;
use xuezhu_domain::{Fen, Month, Season, Term};

use crate::case::Rule;

/// The policies that come with the program.
const BUILT_IN: &str = include_str!("../../policy/default.toml");
/// Terms for which lists may be made begin in this year; the notice of 2016 put the systems into full use.
const FIRST_TERM_YEAR: i32 = 2016;

/// The first term for which lists may be made.
pub fn first_term() -> Term {
    Term::new(FIRST_TERM_YEAR, Season::Spring)
}

/// What aid is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SchemeCode {
    /// 国家助学金.
    Grant,
    /// 免学费.
    TuitionWaiver,
}

impl SchemeCode {
    /// Every scheme.
    pub const ALL: [Self; 2] = [Self::Grant, Self::TuitionWaiver];

    /// As stored and as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "GRANT",
            Self::TuitionWaiver => "TUITION_WAIVER",
        }
    }

    /// From what was stored.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == text)
    }
}

/// Whether aid goes by month or by term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Paid {
    /// Each month on its own.
    Month,
    /// The term as a whole, by the state on its count day.
    Term,
}

/// Why a student is entitled by the plain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ground {
    /// 涉农专业.
    AgriculturalMajor,
    /// 农村（含县镇）.
    Rural,
}

/// What excludes a student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Exclusion {
    /// 艺术类相关表演专业, without 戏曲.
    PerformingArts,
}

/// A tier of a rate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Name.
    pub name: String,
    /// Yuan a year.
    pub yuan: i64,
}

/// What holds in a span of terms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Stable name, shown in evidence.
    pub id: String,
    /// First term.
    pub from: Term,
    /// Last term; none while it lasts.
    pub to: Option<Term>,
    /// Months over which a year's amount is spread.
    pub months_a_year: i64,
    /// Tiers, lowest first.
    pub tiers: Vec<Tier>,
    /// First and last grade.
    pub grades: [i32; 2],
    /// Whether only full-time students count.
    pub full_time: bool,
    /// Grounds, any of which entitles by the plain data.
    pub entitles: Vec<Ground>,
    /// What excludes.
    #[serde(default)]
    pub excludes: Vec<Exclusion>,
    /// Where it comes from.
    pub source: String,
}

impl Rate {
    /// The tier of a name; the middle one for a blank.
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        if name.is_empty() { self.tiers.get(self.tiers.len() / 2) } else { self.tiers.iter().find(|tier| tier.name == name) }
    }

    /// What a month of a tier comes to.
    pub fn month_fen(&self, tier: &Tier) -> Fen {
        Fen(tier.yuan * 100 / self.months_a_year)
    }
}

/// A scheme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Which.
    pub code: SchemeCode,
    /// Name.
    pub name: String,
    /// By month or by term.
    pub paid: Paid,
    /// Whether the entitled must be on a list: leaving one out is a finding.
    pub by_right: bool,
    /// Rates, by term.
    pub rate: Vec<Rate>,
}

impl Scheme {
    /// What holds in a term.
    pub fn rate_in(&self, term: Term) -> Option<&Rate> {
        self.rate.iter().find(|rate| rate.from <= term && rate.to.is_none_or(|to| term <= to))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeasonRow {
    season: Season,
    payment_months: Vec<u32>,
    count_day: String,
    due: String,
    #[expect(dead_code, reason = "every row of a policy names its source")]
    source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grace {
    working_days: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    season: Vec<SeasonRow>,
    grace: Grace,
    #[serde(default)]
    switched_off: Vec<Rule>,
    scheme: Vec<Scheme>,
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
}

/// Every policy of the deployment.
#[derive(Debug, Clone)]
pub struct Policies {
    file: File,
    fingerprint: uuid::Uuid,
}

/// Policies that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("policy file: {0}")]
pub struct PolicyError(String);

impl Policies {
    /// Those that come with the program.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("what comes with the program is sound; a test reads it")
    }

    /// Reads and checks a text.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File = toml::from_str(text).map_err(|error| PolicyError(error.to_string()))?;
        let fingerprint = uuid::Uuid::from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]).unwrap_or_default();
        let policies = Self { file, fingerprint };
        policies.check()?;
        Ok(policies)
    }

    fn check(&self) -> Result<(), PolicyError> {
        for season in [Season::Autumn, Season::Spring] {
            let days =
                self.days(Term::new(FIRST_TERM_YEAR, season)).ok_or_else(|| PolicyError(format!("season {season:?} is missing or its days are wrong")))?;
            if days.months.is_empty() || days.months.windows(2).any(|pair| pair[0] >= pair[1]) {
                return Err(PolicyError(format!("payment_months of {season:?} must be in order")));
            }
            let (first, last) = (days.months[0].first_day(), days.months[days.months.len() - 1].first_day());
            if days.count_day < first || days.count_day > last {
                return Err(PolicyError(format!("count_day of {season:?} must lie between the first day of its first and of its last payment month")));
            }
        }
        for scheme in &self.file.scheme {
            for rate in &scheme.rate {
                if rate.tiers.is_empty() || rate.tiers.windows(2).any(|pair| pair[0].yuan >= pair[1].yuan) {
                    return Err(PolicyError(format!("tiers of {} must be given, lowest first", rate.id)));
                }
                if rate.months_a_year < 1 || rate.tiers.iter().any(|tier| tier.yuan < 0 || (tier.yuan * 100) % rate.months_a_year != 0) {
                    return Err(PolicyError(format!("a month of {} is no whole number of fen", rate.id)));
                }
                if scheme.rate.iter().any(|other| other.id != rate.id && other.from <= rate.from && other.to.is_none_or(|to| rate.from <= to)) {
                    return Err(PolicyError(format!("{} overlaps another rate", rate.id)));
                }
            }
        }
        for code in SchemeCode::ALL {
            if !self.file.scheme.iter().any(|scheme| scheme.code == code) {
                return Err(PolicyError(format!("scheme {} is missing", code.as_str())));
            }
        }
        Ok(())
    }

    /// Changes with any word of the policies.
    pub fn fingerprint(&self) -> uuid::Uuid {
        self.fingerprint
    }

    /// A scheme.
    pub fn scheme(&self, code: SchemeCode) -> &Scheme {
        self.file.scheme.iter().find(|scheme| scheme.code == code).expect("loading checked that every scheme is there")
    }

    /// All schemes.
    pub fn schemes(&self) -> &[Scheme] {
        &self.file.scheme
    }

    /// Whether this deployment judges by a rule.
    pub fn judges_by(&self, rule: Rule) -> bool {
        !self.file.switched_off.contains(&rule)
    }

    /// Working days of grace after a late approval.
    pub fn grace_working_days(&self) -> u32 {
        self.file.grace.working_days
    }

    /// The days of a term; `None` where the season is not in the policies.
    pub fn days(&self, term: Term) -> Option<TermDays> {
        let row = self.file.season.iter().find(|row| row.season == term.season())?;
        let first = *row.payment_months.first()?;
        let year_of = |month: u32| if month < first { term.year() + 1 } else { term.year() };
        let months = row.payment_months.iter().map(|month| Month::new(year_of(*month), *month).ok()).collect::<Option<Vec<_>>>()?;
        let day = |text: &str| {
            let (month, day) = text.split_once('-')?;
            let month: u32 = month.parse().ok()?;
            NaiveDate::from_ymd_opt(year_of(month), month, day.parse().ok()?)
        };
        Some(TermDays { term, months, count_day: day(&row.count_day)?, due: day(&row.due)? })
    }

    /// Whether lists of a term may be made on a day: from 2016 to the coming term.
    pub fn is_open(&self, term: Term, today: NaiveDate) -> bool {
        term.year() >= FIRST_TERM_YEAR && term <= Term::of(today).next().next()
    }

    /// Terms whose lists became overdue after `from` and up to `to`: whose due day lies in `[from, to)`.
    pub fn overdue_between(&self, from: NaiveDate, to: NaiveDate) -> Vec<TermDays> {
        // A due day may lie in the term after its own.
        let mut term = Term::of(Term::of(from).first_day() - chrono::Days::new(1));
        let mut overdue = Vec::new();
        while term.first_day() <= to {
            overdue.extend(self.days(term).filter(|days| from <= days.due && days.due < to));
            term = term.next();
        }
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_policies_are_sound_and_dated() {
        let policies = Policies::built_in();
        let grant = policies.scheme(SchemeCode::Grant);
        for (term, yuan, grades) in [("2016-AUTUMN", 2000, [1, 2]), ("2024-AUTUMN", 2000, [1, 2]), ("2025-SPRING", 2300, [1, 3]), ("2014-AUTUMN", 1500, [1, 2])]
        {
            let rate = grant.rate_in(term.parse().expect("a term")).expect("covered");
            assert_eq!((rate.tier("").expect("a middle tier").yuan, rate.grades), (yuan, grades), "{term}");
        }
        let days = policies.days("2024-AUTUMN".parse().expect("a term")).expect("a season");
        assert_eq!(days.months.iter().map(|month| month.number()).collect::<Vec<_>>(), [202_409, 202_410, 202_411, 202_412, 202_501]);
        assert_eq!(days.due.to_string(), "2024-11-30");
    }

    #[test]
    fn wrong_policies_are_named() {
        let without = Policies::parse(&format!("switched_off = [\"MISSING_AWARD\"]\n{BUILT_IN}")).expect("is sound");
        assert!(!without.judges_by(Rule::MissingAward) && without.judges_by(Rule::NoEnrollment));
        for (wrong, named) in [
            (BUILT_IN.replace("months_a_year = 10", "months_a_year = 7"), "no whole number of fen"),
            (BUILT_IN.replace("to = \"2014-AUTUMN\"", "to = \"2016-AUTUMN\""), "overlaps"),
            (BUILT_IN.replace("TUITION_WAIVER", "WAIVER"), "WAIVER"),
            (BUILT_IN.replace("[9, 10, 11, 12, 1]", "[9, 9]"), "payment_months"),
            (BUILT_IN.replace("by_right = true", "by_rigth = true"), "by_rigth"),
        ] {
            let error = Policies::parse(&wrong).expect_err("is wrong").to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_due_day_passes_once() {
        let policies = Policies::built_in();
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert!(policies.overdue_between(day("2016-11-01"), day("2016-11-30")).is_empty());
        assert_eq!(policies.overdue_between(day("2016-11-30"), day("2016-12-01")).len(), 1);
        assert!(policies.overdue_between(day("2016-12-01"), day("2017-04-30")).is_empty());
        assert_eq!(policies.overdue_between(day("2016-11-01"), day("2017-06-01")).len(), 2);
    }
}
