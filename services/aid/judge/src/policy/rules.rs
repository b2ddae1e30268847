//! Who is entitled by the plain data, and why, or why not. Pure.

use chrono::NaiveDate;
use xuezhu_domain::{
    RegistryAnswer, Term,
    codes::{self, Settlement},
};

use super::{Exclusion, Ground, Rate};
use crate::case::{Enrollment, Place};

/// What the plain data say about a student on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// 城乡分类代码 of the registered address; empty where it is not known.
    pub urban_rural: &'f str,
    /// Region of the registered address; empty where it is not known.
    pub registered_region: &'f str,
    /// What the registry said.
    pub registry: RegistryAnswer,
    /// 困难等级 that was determined and holds; empty where there is none.
    pub hardship: &'f str,
}

impl<'f> Facts<'f> {
    /// Of somebody in a place, as much as they are held to be who they are by the registry, with a level or none.
    pub fn of(enrollment: &Enrollment, place: &'f Place, registry: RegistryAnswer, hardship: &'f str) -> Self {
        Self {
            entry: enrollment.entry_date,
            major: &place.major,
            study_form: &place.study_form,
            household: &place.household,
            residence: &place.residence,
            urban_rural: &place.urban_rural,
            registered_region: &place.registered_region,
            registry,
            hardship,
        }
    }
}

/// What shows that somebody is rural.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenBy {
    /// 城乡分类代码 of the registered address.
    UrbanRuralCode,
    /// 户口性质, where there is no such code.
    Household,
    /// 学生居住地类型, where there is no such code.
    Residence,
}

/// Why a student is not proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Entitled: agricultural major.
    AgriculturalMajor,
    /// Entitled: rural, county towns included.
    Rural(SeenBy),
    /// Entitled: rural, without county towns, of a special area.
    SpecialArea(SeenBy),
    /// Entitled: a major that the policy lists.
    ListedMajor,
    /// Entitled: with a determined hardship.
    Hardship,
    /// Entitled, as everybody whom nothing excludes.
    Everybody,
    /// At a private school that is not on its province's list.
    SchoolNotListed,
    /// Not full time.
    NotFullTime,
    /// The grade does not count in this term.
    Grade,
    /// The registry did not confirm the person.
    RegistryUnconfirmed,
    /// Performing arts.
    PerformingArts,
    /// Only with a determined hardship, and there is none.
    NeedsHardship,
    /// Not in school in this term.
    NotInSchool,
    /// No rate in this term.
    NoPolicy,
    /// The list holds somebody else's entry under the student's number.
    NumberOnList,
    /// The student signed not to want it.
    Waived,
}

impl Why {
    /// Every reason why a policy does not give a month to whoever is in school.
    pub const EXCLUDE: [Self; 6] =
        [Self::SchoolNotListed, Self::NotFullTime, Self::Grade, Self::RegistryUnconfirmed, Self::PerformingArts, Self::NeedsHardship];

    /// Why a month is not given, by its stable code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::EXCLUDE.into_iter().find(|why| why.code() == code)
    }

    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::AgriculturalMajor => "AGRICULTURAL_MAJOR",
            Self::Rural(_) => "RURAL",
            Self::SpecialArea(_) => "SPECIAL_AREA",
            Self::ListedMajor => "LISTED_MAJOR",
            Self::Hardship => "HARDSHIP",
            Self::Everybody => "EVERYBODY",
            Self::SchoolNotListed => "SCHOOL_NOT_LISTED",
            Self::NotFullTime => "NOT_FULL_TIME",
            Self::Grade => "GRADE_NOT_ELIGIBLE",
            Self::RegistryUnconfirmed => "REGISTRY_UNCONFIRMED",
            Self::PerformingArts => "PERFORMING_ARTS",
            Self::NeedsHardship => "NEEDS_HARDSHIP",
            Self::NotInSchool => "NOT_IN_SCHOOL",
            Self::NoPolicy => "NO_POLICY",
            Self::NumberOnList => "NUMBER_ON_LIST",
            Self::Waived => "WAIVED",
        }
    }

    /// In Chinese.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::AgriculturalMajor => "涉农专业，符合条件",
            Self::Rural(SeenBy::UrbanRuralCode) => "农村（含县镇）学生，符合条件（按户口所在地城乡分类代码）",
            Self::Rural(SeenBy::Household) => "农村（含县镇）学生，符合条件（按户口性质）",
            Self::Rural(SeenBy::Residence) => "农村（含县镇）学生，符合条件（按居住地类型）",
            Self::SpecialArea(SeenBy::UrbanRuralCode) => "特殊困难地区农村（不含县城）学生，符合条件（按户口所在地城乡分类代码）",
            Self::SpecialArea(SeenBy::Household) => "特殊困难地区农村（不含县城）学生，符合条件（按户口性质）",
            Self::SpecialArea(SeenBy::Residence) => "特殊困难地区农村（不含县城）学生，符合条件（按居住地类型）",
            Self::ListedMajor => "政策所列专业，符合条件",
            Self::Hardship => "已认定家庭经济困难，符合条件",
            Self::Everybody => "全体学生均可享受，符合条件",
            Self::SchoolNotListed => "本校是民办学校，不在省级主管部门公布的可享受名单上",
            Self::NotFullTime => "非全日制，不在资助范围",
            Self::Grade => "所在年级本学期不在资助范围",
            Self::RegistryUnconfirmed => "人口库未核实身份，学籍异常，暂不建议",
            Self::PerformingArts => "艺术类相关表演专业，不在免学费范围",
            Self::NeedsHardship => "非涉农（或城市）学生，须先认定家庭经济困难",
            Self::NotInSchool => "本学期不在读",
            Self::NoPolicy => "本学期没有适用的政策",
            Self::NumberOnList => "名单上有一条误用该生证件号录入的他人条目，请先移除那一条，再列入该生",
            Self::Waived => "学生已书面自愿放弃",
        }
    }

    /// Whether it entitles.
    pub fn entitles(self) -> bool {
        matches!(self, Self::AgriculturalMajor | Self::Rural(_) | Self::SpecialArea(_) | Self::ListedMajor | Self::Hardship | Self::Everybody)
    }

    /// What it was seen by, where there are several ways.
    pub fn seen_by(self) -> &'static str {
        match self {
            Self::Rural(seen_by) | Self::SpecialArea(seen_by) => match seen_by {
                SeenBy::UrbanRuralCode => "URBAN_RURAL_CODE",
                SeenBy::Household => "HOUSEHOLD",
                SeenBy::Residence => "RESIDENCE",
            },
            _ => "",
        }
    }
}

/// Judges by the plain data.
pub fn plain_data(rate: Option<&Rate>, term: Term, facts: Facts) -> Why {
    let Some(rate) = rate else { return Why::NoPolicy };
    if rate.full_time && facts.study_form != FULL_TIME {
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
    rate.entitles.iter().find_map(|ground| by(rate, *ground, facts)).unwrap_or(Why::NeedsHardship)
}

/// Whether a ground holds of somebody, by what a rate names.
fn by(rate: &Rate, ground: Ground, facts: Facts) -> Option<Why> {
    match ground {
        Ground::AgriculturalMajor => codes::major_of_key(facts.major).filter(|major| major.agricultural).map(|_| Why::AgriculturalMajor),
        Ground::Rural => rural(facts, &COUNTY_TOWNS_TOO).map(Why::Rural),
        Ground::SpecialArea => {
            let lies = !facts.registered_region.is_empty() && rate.area_codes.iter().any(|code| facts.registered_region.starts_with(code.as_str()));
            lies.then(|| rural(facts, &VILLAGES)).flatten().map(Why::SpecialArea)
        }
        Ground::ListedMajor => rate.major_keys.iter().any(|key| key == facts.major).then_some(Why::ListedMajor),
        Ground::Hardship => (!facts.hardship.is_empty()).then_some(Why::Hardship),
        Ground::Everybody => Some(Why::Everybody),
    }
}

/// Every ground of a rate that holds of somebody, whatever excludes them.
pub fn grounds(rate: &Rate, facts: Facts) -> Vec<Ground> {
    rate.entitles.iter().copied().filter(|ground| by(rate, *ground, facts).is_some()).collect()
}

/// The grade of somebody in a term, if a share is of them: students of the grades and the form of study that a rate is for, without those of whom
/// one of some grounds holds.
pub fn grade_in_base(rate: &Rate, term: Term, facts: Facts, without: &[Ground]) -> Option<i32> {
    let grade = term.grade_of_entry(Term::of(facts.entry));
    let is_of_rate = (!rate.full_time || facts.study_form == FULL_TIME) && (rate.grades[0]..=rate.grades[1]).contains(&grade);
    (is_of_rate && !without.iter().any(|ground| by(rate, *ground, facts).is_some())).then_some(grade)
}

/// 户口性质 of whoever is rural by it.
pub const AGRICULTURAL_HOUSEHOLD: &str = "农业户口";
/// 学习形式 of whoever studies full time.
pub const FULL_TIME: &str = "全日制";

/// What counts as rural.
#[derive(Debug)]
pub struct Countryside {
    /// By the 城乡分类代码 of the registered address.
    pub settlements: &'static [Settlement],
    /// By where the student lives, where there is no such code.
    pub residences: &'static [&'static str],
}

/// As the waiver counts it: 农村（含县镇）.
pub static COUNTY_TOWNS_TOO: Countryside =
    Countryside { settlements: &[Settlement::Town, Settlement::Village], residences: &["农村", "县城", "乡镇非农"] };
/// As the grant of special areas counts it: 农村（不含县城）. The code of a town does not say whether it is the county's seat, so that who lives
/// in one is proposed by nothing and may be added by hand.
pub static VILLAGES: Countryside = Countryside { settlements: &[Settlement::Village], residences: &["农村", "乡镇非农"] };

/// Whether somebody is rural: by the 城乡分类代码 of the registered address where there is one; else by household, or by where the student
/// lives. New household booklets no longer say 农业, so either will do.
fn rural(facts: Facts, countryside: &Countryside) -> Option<SeenBy> {
    if let Some(class) = codes::urban_rural(facts.urban_rural) {
        return countryside.settlements.contains(&class.settlement).then_some(SeenBy::UrbanRuralCode);
    }
    if facts.household == AGRICULTURAL_HOUSEHOLD {
        return Some(SeenBy::Household);
    }
    countryside.residences.contains(&facts.residence).then_some(SeenBy::Residence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, SchemeCode};

    #[test]
    fn the_plain_data_decide_as_the_law_says() {
        let policy = Policy::built_in();
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let base = Facts {
            entry: day("2016-09-01"),
            major: "2010-010200",
            study_form: "全日制",
            household: "非农业户口",
            residence: "城市",
            urban_rural: "",
            registered_region: "430181",
            registry: RegistryAnswer::Confirmed,
            hardship: "",
        };
        let (grant, waiver) = (SchemeCode::GRANT, SchemeCode::TUITION_WAIVER);
        let special = Facts { major: "2010-100100", registered_region: "513221", household: "农业户口", ..base };
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
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", residence: "县城", ..base }, Why::Rural(SeenBy::Residence)),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", urban_rural: "121", ..base }, Why::Rural(SeenBy::UrbanRuralCode)),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", urban_rural: "220", ..base }, Why::Rural(SeenBy::UrbanRuralCode)),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", urban_rural: "112", household: "农业户口", residence: "农村", ..base }, Why::NeedsHardship),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", urban_rural: "999", household: "农业户口", ..base }, Why::Rural(SeenBy::Household)),
            (waiver, "2016-AUTUMN", Facts { major: "2010-100100", ..base }, Why::NeedsHardship),
            (waiver, "2016-AUTUMN", Facts { major: "2010-140600", household: "农业户口", ..base }, Why::PerformingArts),
            (waiver, "2016-AUTUMN", Facts { major: "2010-140700", household: "农业户口", ..base }, Why::Rural(SeenBy::Household)),
            // The same two majors under the codes that the catalogue has for them, and what these codes are in it.
            (waiver, "2016-AUTUMN", Facts { major: "2010-140900", household: "农业户口", ..base }, Why::PerformingArts),
            (waiver, "2016-AUTUMN", Facts { major: "2010-141000", household: "农业户口", ..base }, Why::Rural(SeenBy::Household)),
            (waiver, "2016-AUTUMN", Facts { major: "2010-140600b", household: "农业户口", ..base }, Why::Rural(SeenBy::Household)),
            (waiver, "2016-AUTUMN", Facts { major: "2010-011800", ..base }, Why::AgriculturalMajor),
            // 戏曲表演 by each code that it is stored under, also of who is of a town, since 2016.
            (waiver, "2016-AUTUMN", Facts { major: "2010-141000", ..base }, Why::ListedMajor),
            (waiver, "2016-AUTUMN", Facts { major: "2010-140700", ..base }, Why::ListedMajor),
            (waiver, "2021-AUTUMN", Facts { major: "2021-750203", entry: day("2021-09-01"), ..base }, Why::ListedMajor),
            (waiver, "2016-SPRING", Facts { major: "2010-141000", entry: day("2015-09-01"), ..base }, Why::NeedsHardship),
            (grant, "2016-AUTUMN", Facts { major: "2010-141000", ..base }, Why::NeedsHardship),
            (waiver, "2019-AUTUMN", base, Why::Grade),
            (grant, "2001-AUTUMN", base, Why::NoPolicy),
            // Special areas: by the day's list of them, villages alone.
            (grant, "2016-AUTUMN", special, Why::SpecialArea(SeenBy::Household)),
            (grant, "2016-AUTUMN", Facts { urban_rural: "220", ..special }, Why::SpecialArea(SeenBy::UrbanRuralCode)),
            (grant, "2016-AUTUMN", Facts { urban_rural: "121", ..special }, Why::NeedsHardship),
            (grant, "2016-AUTUMN", Facts { household: "非农业户口", residence: "县城", ..special }, Why::NeedsHardship),
            (grant, "2016-AUTUMN", Facts { registered_region: "430181", ..special }, Why::NeedsHardship),
            (grant, "2016-AUTUMN", Facts { registered_region: "652901", ..special }, Why::NeedsHardship),
            (grant, "2020-AUTUMN", Facts { registered_region: "652901", entry: day("2020-09-01"), ..special }, Why::SpecialArea(SeenBy::Household)),
            (grant, "2016-AUTUMN", Facts { registered_region: "", ..special }, Why::NeedsHardship),
        ] {
            let term: Term = term.parse().expect("a term");
            assert_eq!(plain_data(policy.scheme(scheme).expect("is there").rate_in(term, ""), term, facts), why, "{scheme:?} {term} {facts:?}");
        }
    }
}
