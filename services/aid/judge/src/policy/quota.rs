//! How many students of a school or a region may be given a scheme on some grounds: a share of those on the roll, or a number that was allotted.

use serde::Deserialize;
use xuezhu_domain::Term;

use super::Ground;

/// Together in what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Each {
    /// All schools of a province.
    Province,
    /// All schools of a city.
    City,
    /// All schools of a county.
    County,
    /// A school by itself.
    School,
}

impl Each {
    /// All of them, the widest first.
    pub const ALL: [Self; 4] = [Self::Province, Self::City, Self::County, Self::School];

    /// First digits of the region of a school that those have in common who are counted together; none where it is the school itself.
    pub(super) fn digits(self) -> Option<usize> {
        match self {
            Self::Province => Some(2),
            Self::City => Some(4),
            Self::County => Some(6),
            Self::School => None,
        }
    }

    /// Together with whom a school of a region is counted: the region's first digits, or the school's code.
    pub fn of<'s>(self, school: &'s str, region: &'s str) -> &'s str {
        self.digits().map_or(school, |digits| region.get(..digits).unwrap_or(region))
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Province => "全省（自治区、直辖市）",
            Self::City => "全市（州）",
            Self::County => "全县（市、区）",
            Self::School => "每所学校",
        }
    }
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Stable name, shown in evidence.
    pub id: String,
    /// Of which scheme.
    pub scheme: String,
    /// First digits of the regions of schools for which it holds; none for all.
    #[serde(default)]
    pub regions: Vec<String>,
    /// First term.
    pub from: Term,
    /// Last term; none while it lasts.
    pub to: Option<Term>,
    /// Together in what is counted.
    pub each: Each,
    /// How many of a hundred of the base; what is left of one is none.
    pub percent: Option<u32>,
    /// How many were allotted, whatever the base.
    pub persons: Option<u32>,
    /// Grounds that are limited: whoever is entitled by another is not counted.
    pub limits: Vec<Ground>,
    /// Grounds whose students are taken out of the base.
    #[serde(default)]
    pub base_without: Vec<Ground>,
    /// Whether each grade is counted by itself.
    #[serde(default)]
    pub by_grade: bool,
    /// Where it comes from.
    pub source: String,
}

impl Quota {
    /// Whether it holds in a term.
    pub fn covers(&self, term: Term) -> bool {
        self.from <= term && self.to.is_none_or(|to| term <= to)
    }

    /// How many may be given it, of so many on the roll.
    pub fn limit(&self, base: i64) -> i64 {
        match (self.persons, self.percent) {
            (Some(persons), _) => i64::from(persons),
            (None, Some(percent)) => base * i64::from(percent) / 100,
            (None, None) => 0,
        }
    }

    /// Whether somebody of whom these grounds hold, month by month, is counted: whom a limited one lets in for some month, and no other.
    pub fn counts(&self, grounds: &[Vec<Ground>]) -> bool {
        let is_limited = |grounds: &Vec<Ground>| !grounds.is_empty() && grounds.iter().all(|ground| self.limits.contains(ground));
        grounds.iter().any(is_limited)
    }

    /// The grade by which somebody is counted; 0 where all are counted together.
    pub fn grade(&self, grade: i32) -> i32 {
        if self.by_grade { grade } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, SchemeCode};

    #[test]
    fn shares_are_whole_students_and_allotments_are_what_they_are() {
        let policy = Policy::built_in();
        let term = "2026-AUTUMN".parse().expect("a term");
        let of = |region: &str| policy.quotas_of(SchemeCode::GRANT, term, region).into_iter().map(|quota| quota.limit(199)).collect::<Vec<_>>();
        for (region, limits) in [("430181", vec![29]), ("110101", vec![19]), ("510100", vec![39]), ("", vec![])] {
            assert_eq!(of(region), limits, "{region}");
        }
        let share = policy.quotas_of(SchemeCode::GRANT, term, "430181")[0];
        assert_eq!((share.limit(0), share.limit(6), share.limit(7)), (0, 0, 1));
        let allotted = Quota { persons: Some(3), percent: None, ..share.clone() };
        assert_eq!((allotted.limit(0), allotted.limit(1_000)), (3, 3));
    }

    #[test]
    fn who_is_let_in_by_another_ground_is_not_counted() {
        let policy = Policy::built_in();
        let share = policy.quotas_of(SchemeCode::GRANT, "2026-AUTUMN".parse().expect("a term"), "430181")[0];
        let (poor, major, area) = (Ground::Hardship, Ground::AgriculturalMajor, Ground::SpecialArea);
        for (grounds, counts) in [
            (vec![vec![poor]], true),
            (vec![], false),
            (vec![vec![]], false),
            (vec![vec![poor, major]], false),
            (vec![vec![area]], false),
            // Out of agriculture in mid-term, and poor from then on; poor, and into it.
            (vec![vec![major], vec![poor]], true),
            (vec![vec![poor], vec![major]], true),
        ] {
            let grounds = grounds.as_slice();
            assert_eq!(share.counts(grounds), counts, "{grounds:?}");
        }
    }

    #[test]
    fn schools_are_counted_together_by_where_they_lie() {
        let of: Vec<&str> = Each::ALL.into_iter().map(|each| each.of("3643000001", "430181")).collect();
        assert_eq!(of, ["43", "4301", "430181", "3643000001"]);
    }
}
