//! Who is entitled by the plain data, and why, or why not. Pure.

use chrono::NaiveDate;
use xuezhu_domain::{RegistryAnswer, Term, codes};

use super::{Exclusion, Ground, Rate};

/// What the plain data say about a student on a day.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// First day at the school.
    pub entry: NaiveDate,
    /// Catalogue and code of the major.
    pub major: &'f str,
    /// 全日制 or 非全日制.
    pub study_form: &'f str,
    /// 户口性质.
    pub household: &'f str,
    /// 学生居住地类型.
    pub residence: &'f str,
    /// What the registry said.
    pub registry: RegistryAnswer,
}

/// Why a student is not proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Entitled: agricultural major.
    AgriculturalMajor,
    /// Entitled: rural, county towns included.
    Rural,
    /// Not full time.
    NotFullTime,
    /// The grade does not count in this term.
    Grade,
    /// The registry did not confirm the person.
    RegistryUnconfirmed,
    /// Performing arts.
    PerformingArts,
    /// Only with a determined hardship: may be added by hand.
    NeedsHardship,
    /// Not in school in this term.
    NotInSchool,
    /// No rate in this term.
    NoPolicy,
    /// The list holds somebody else's entry under the student's number.
    NumberOnList,
}

impl Why {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::AgriculturalMajor => "AGRICULTURAL_MAJOR",
            Self::Rural => "RURAL",
            Self::NotFullTime => "NOT_FULL_TIME",
            Self::Grade => "GRADE_NOT_ELIGIBLE",
            Self::RegistryUnconfirmed => "REGISTRY_UNCONFIRMED",
            Self::PerformingArts => "PERFORMING_ARTS",
            Self::NeedsHardship => "NEEDS_HARDSHIP",
            Self::NotInSchool => "NOT_IN_SCHOOL",
            Self::NoPolicy => "NO_POLICY",
            Self::NumberOnList => "NUMBER_ON_LIST",
        }
    }

    /// In Chinese.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::AgriculturalMajor => "涉农专业，符合条件",
            Self::Rural => "农村（含县镇）学生，符合条件",
            Self::NotFullTime => "非全日制，不在资助范围",
            Self::Grade => "所在年级本学期不在资助范围",
            Self::RegistryUnconfirmed => "人口库未核实身份，学籍异常，暂不建议",
            Self::PerformingArts => "艺术类相关表演专业，不在免学费范围",
            Self::NeedsHardship => "非涉农（或城市）学生，须先认定家庭经济困难；已认定的，填入空白名单上传即可",
            Self::NotInSchool => "本学期不在读",
            Self::NoPolicy => "本学期没有适用的政策",
            Self::NumberOnList => "名单上有一条误用该生证件号录入的他人条目，请先移除那一条，再列入该生",
        }
    }

    /// Whether it entitles.
    pub fn entitles(self) -> bool {
        matches!(self, Self::AgriculturalMajor | Self::Rural)
    }
}

/// Judges by the plain data.
pub fn plain_data(rate: Option<&Rate>, term: Term, facts: Facts) -> Why {
    let Some(rate) = rate else { return Why::NoPolicy };
    if rate.full_time && facts.study_form != "全日制" {
        return Why::NotFullTime;
    }
    let grade = term.grade_of_entry(Term::of(facts.entry));
    if grade < rate.grades[0] || grade > rate.grades[1] {
        return Why::Grade;
    }
    if facts.registry.is_finding() {
        return Why::RegistryUnconfirmed;
    }
    let major = codes::major_of_key(facts.major);
    if rate.excludes.contains(&Exclusion::PerformingArts) && major.is_some_and(|major| major.performing_arts) {
        return Why::PerformingArts;
    }
    for ground in &rate.entitles {
        match ground {
            Ground::AgriculturalMajor if major.is_some_and(|major| major.agricultural) => return Why::AgriculturalMajor,
            Ground::Rural if is_rural(facts) => return Why::Rural,
            _ => {}
        }
    }
    Why::NeedsHardship
}

/// 农村 as the waiver counts it: by household, or by where the student lives, county towns included. New household
/// booklets no longer say 农业, so either will do.
fn is_rural(facts: Facts) -> bool {
    facts.household == "农业户口" || matches!(facts.residence, "农村" | "县城" | "乡镇非农")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policies, SchemeCode};

    #[test]
    fn the_plain_data_decide_as_the_law_says() {
        let policies = Policies::load(None).expect("built in");
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let base = Facts {
            entry: day("2016-09-01"),
            major: "2010-010200",
            study_form: "全日制",
            household: "非农业户口",
            residence: "城市",
            registry: RegistryAnswer::Confirmed,
        };
        let (grant, waiver) = (SchemeCode::Grant, SchemeCode::TuitionWaiver);
        for (scheme, term, facts, why) in [
            (grant, "2016-AUTUMN", base, Why::AgriculturalMajor),
            (grant, "2018-AUTUMN", base, Why::Grade),
            (grant, "2025-AUTUMN", Facts { entry: day("2023-09-01"), ..base }, Why::AgriculturalMajor),
            (grant, "2024-AUTUMN", Facts { entry: day("2022-09-01"), ..base }, Why::Grade),
            (grant, "2016-AUTUMN", Facts { major: "2010-100100", ..base }, Why::NeedsHardship),
            (grant, "2016-AUTUMN", Facts { study_form: "非全日制", ..base }, Why::NotFullTime),
            (grant, "2016-AUTUMN", Facts { registry: RegistryAnswer::NotFound, ..base }, Why::RegistryUnconfirmed),
            (grant, "2016-AUTUMN", Facts { registry: RegistryAnswer::NotAsked, ..base }, Why::AgriculturalMajor),
            (waiver, "2018-AUTUMN", base, Why::AgriculturalMajor),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", residence: "县城", ..base }, Why::Rural),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", ..base }, Why::NeedsHardship),
            (waiver, "2016-AUTUMN", Facts { major: "2010-140600", household: "农业户口", ..base }, Why::PerformingArts),
            (waiver, "2016-AUTUMN", Facts { major: "2010-140700", household: "农业户口", ..base }, Why::Rural),
            (waiver, "2019-AUTUMN", base, Why::Grade),
            (grant, "2001-AUTUMN", base, Why::NoPolicy),
        ] {
            let term: Term = term.parse().expect("a term");
            assert_eq!(plain_data(policies.scheme(scheme).rate_in(term), term, facts), why, "{scheme:?} {term} {facts:?}");
        }
    }
}
