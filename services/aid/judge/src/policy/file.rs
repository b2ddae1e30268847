//! A policy as it is written: a TOML text, read and checked as a whole. Every fault is told with its place.

use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use xuezhu_domain::{Month, Season, Term};

use super::{
    FIRST_TERM_YEAR, TermDays, nearest,
    scheme::{Ground, Paid, Rate, Scheme, SchemeCode},
};
use crate::case::Rule;

/// The policy that comes with the program.
pub const BUILT_IN: &str = include_str!("../../policy/default.toml");
/// The policy of folders that lived before policies had versions.
pub const BEFORE: &str = include_str!("../../policy/before.toml");

/// Bytes of a policy, at most.
pub const SIZE: usize = 512 * 1024;

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// What, in Chinese.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "第{}行第{}列：{}", self.line, self.column, self.text)
    }
}

/// A policy that can't be used: every fault of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(pub Vec<Fault>);

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{}", faults.join("；"))
    }
}

/// The days of each year's term.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeasonRow {
    /// Autumn or spring.
    pub season: Season,
    /// First digits of the regions of schools for which it holds; empty for all.
    #[serde(default)]
    pub region: String,
    /// Months that are paid, as numbers, in order.
    pub payment_months: Vec<u32>,
    /// The day by whose state a waiver goes, such as `09-30`.
    pub count_day: String,
    /// The day by which a list must be submitted, such as `11-30`.
    pub due: String,
    /// Where it comes from.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grace {
    working_days: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    name: String,
    codes: Vec<String>,
    source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeRow {
    code: Spanned<SchemeCode>,
    name: String,
    paid: Paid,
    by_right: bool,
    rate: Vec<Spanned<Rate>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    season: Vec<Spanned<SeasonRow>>,
    grace: Grace,
    #[serde(default)]
    switched_off: Vec<Rule>,
    #[serde(default)]
    area: Vec<Spanned<Area>>,
    scheme: Vec<SchemeRow>,
}

/// One policy: what an officer signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    text: String,
    fingerprint: uuid::Uuid,
    seasons: Vec<SeasonRow>,
    grace_working_days: u32,
    switched_off: Vec<Rule>,
    schemes: Vec<Scheme>,
}

/// Faults as they are found, with their places in a text.
struct Faults<'t> {
    text: &'t str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn at(&mut self, offset: usize, text: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        self.found.push(Fault { line, column, text: text.into() });
    }
}

/// What the reader of TOML says, in Chinese as far as it is known: the words in quotes stay as they are.
fn in_chinese(message: &str) -> String {
    const KNOWN: [(&str, &str); 7] = [
        ("unknown field ", "不认识的字段"),
        ("missing field ", "缺少字段"),
        ("unknown variant ", "不认识的取值"),
        ("duplicate key", "重复的字段"),
        ("invalid type: ", "类型不对："),
        ("invalid length ", "个数不对："),
        (", expected ", "，应为"),
    ];
    KNOWN.iter().fold(message.replace('`', "“").trim().to_owned(), |text, (english, chinese)| text.replace(english, chinese))
}

impl Policy {
    /// That which comes with the program.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("what comes with the program is sound; a test reads it")
    }

    /// That of folders that lived before policies had versions.
    pub fn of_before() -> Self {
        Self::parse(BEFORE).expect("what comes with the program is sound; a test reads it")
    }

    /// Reads and checks a text.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut faults = Faults { text, found: Vec::new() };
        if text.len() > SIZE {
            faults.at(0, format!("政策文件不能超过{}KB", SIZE / 1024));
            return Err(PolicyError(faults.found));
        }
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                faults.at(error.span().map_or(0, |span| span.start), in_chinese(error.message()));
                return Err(PolicyError(faults.found));
            }
        };
        check_seasons(&file, &mut faults);
        check_areas(&file, &mut faults);
        for scheme in &file.scheme {
            check_scheme(&file, scheme, &mut faults);
        }
        for code in SchemeCode::OF_STATE {
            if !file.scheme.iter().any(|scheme| *scheme.code.get_ref() == code) {
                faults.at(text.len(), format!("缺少项目{}（[[scheme]] code = \"{0}\"）", code.as_str()));
            }
        }
        if !faults.found.is_empty() {
            faults.found.sort_by_key(|fault| (fault.line, fault.column));
            return Err(PolicyError(faults.found));
        }
        let fingerprint = uuid::Uuid::from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]).unwrap_or_default();
        let schemes = file.scheme.into_iter().map(|row| scheme(row, &file.area)).collect();
        Ok(Self {
            text: text.to_owned(),
            fingerprint,
            seasons: file.season.into_iter().map(Spanned::into_inner).collect(),
            grace_working_days: file.grace.working_days,
            switched_off: file.switched_off,
            schemes,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Changes with any word of it.
    pub fn fingerprint(&self) -> uuid::Uuid {
        self.fingerprint
    }

    /// A scheme, if it has it.
    pub fn scheme(&self, code: SchemeCode) -> Option<&Scheme> {
        self.schemes.iter().find(|scheme| scheme.code == code)
    }

    /// All schemes.
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// The days of terms.
    pub fn seasons(&self) -> &[SeasonRow] {
        &self.seasons
    }

    /// Rules by which it does not judge.
    pub fn switched_off(&self) -> &[Rule] {
        &self.switched_off
    }

    /// Whether it judges by a rule.
    pub fn judges_by(&self, rule: Rule) -> bool {
        !self.switched_off.contains(&rule)
    }

    /// Working days of grace after a late approval.
    pub fn grace_working_days(&self) -> u32 {
        self.grace_working_days
    }

    /// The days of a term for a school of a region; `None` where the season is not in the policy.
    pub fn days(&self, term: Term, region: &str) -> Option<TermDays> {
        let rows = self.seasons.iter().filter(|row| row.season == term.season());
        nearest(rows, region, |row| &row.region)?.days(term)
    }

    /// First digits of the regions for which it says anything of its own, and none, for all others.
    pub fn regions(&self) -> Vec<&str> {
        let rates = self.schemes.iter().flat_map(|scheme| &scheme.rate).map(|rate| rate.region.as_str());
        let mut regions: Vec<&str> = self.seasons.iter().map(|row| row.region.as_str()).chain(rates).chain([""]).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }
}

impl SeasonRow {
    fn days(&self, term: Term) -> Option<TermDays> {
        let first = *self.payment_months.first()?;
        let year_of = |month: u32| if month < first { term.year() + 1 } else { term.year() };
        let months = self.payment_months.iter().map(|month| Month::new(year_of(*month), *month).ok()).collect::<Option<Vec<_>>>()?;
        let day = |text: &str| {
            let (month, day) = text.split_once('-')?;
            let month: u32 = month.parse().ok()?;
            NaiveDate::from_ymd_opt(year_of(month), month, day.parse().ok()?)
        };
        Some(TermDays { term, months, count_day: day(&self.count_day)?, due: day(&self.due)? })
    }
}

fn scheme(row: SchemeRow, areas: &[Spanned<Area>]) -> Scheme {
    let codes = |names: &[String]| -> Vec<String> {
        let named = areas.iter().map(Spanned::get_ref).filter(|area| names.contains(&area.name));
        named.flat_map(|area| area.codes.iter().cloned()).collect()
    };
    let rate = |rate: Spanned<Rate>| {
        let rate = rate.into_inner();
        Rate { area_codes: codes(&rate.areas), ..rate }
    };
    Scheme { code: row.code.into_inner(), name: row.name, paid: row.paid, by_right: row.by_right, rate: row.rate.into_iter().map(rate).collect() }
}

/// Whether a text is the first digits of a region, or all of them, or none.
fn is_region(text: &str) -> bool {
    text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.len().is_multiple_of(2)
}

fn check_seasons(file: &File, faults: &mut Faults) {
    for season in [Season::Autumn, Season::Spring] {
        let name = if season == Season::Autumn { "AUTUMN（秋季）" } else { "SPRING（春季）" };
        if !file.season.iter().any(|row| row.get_ref().season == season && row.get_ref().region.is_empty()) {
            faults.at(faults.text.len(), format!("缺少{name}学期的日程（[[season]]，不写region的一行适用于所有地区）"));
        }
    }
    for (at, spanned) in file.season.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        if row.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if !is_region(&row.region) {
            faults.at(place, format!("region “{}”应为行政区划码的前2、4或6位数字", row.region));
        }
        if file.season[..at].iter().map(Spanned::get_ref).any(|other| other.season == row.season && other.region == row.region) {
            faults.at(place, "同一地区同一学期的日程写了两次");
        }
        let Some(days) = row.days(Term::new(FIRST_TERM_YEAR, row.season)) else {
            faults.at(place, "payment_months、count_day或due不是有效的月份、日期（日期写作“09-30”）");
            continue;
        };
        if days.months.windows(2).any(|pair| pair[0] >= pair[1]) {
            faults.at(place, "payment_months（发放月份）应按先后次序书写，不能重复");
            continue;
        }
        let (first, last) = (days.months[0].first_day(), days.months[days.months.len() - 1].first_day());
        if days.count_day < first || days.count_day > last {
            faults.at(place, "count_day（核定日）应在首个发放月份的第一天与末个发放月份的第一天之间");
        }
    }
}

fn check_areas(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.area.iter().enumerate() {
        let (area, place) = (spanned.get_ref(), spanned.span().start);
        if area.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if file.area[..at].iter().any(|other| other.get_ref().name == area.name) {
            faults.at(place, format!("地区名单“{}”写了两次", area.name));
        }
        if let Some(wrong) = area.codes.iter().find(|code| code.is_empty() || !is_region(code)) {
            faults.at(place, format!("“{wrong}”应为行政区划码的前2、4或6位数字"));
        }
    }
}

fn check_scheme(file: &File, scheme: &SchemeRow, faults: &mut Faults) {
    let (code, at) = (*scheme.code.get_ref(), scheme.code.span().start);
    if file.scheme.iter().filter(|other| *other.code.get_ref() == code).count() > 1 {
        faults.at(at, format!("项目{}写了两次", code.as_str()));
    }
    if code.paid_by_state().is_some_and(|paid| paid != scheme.paid) {
        faults.at(at, format!("项目{}的paid（按月或按学期）不能改变", code.as_str()));
    }
    for spanned in &scheme.rate {
        let (rate, place) = (spanned.get_ref(), spanned.span().start);
        check_rate(file, rate, place, faults);
        let overlaps =
            |other: &Rate| other.region == rate.region && other.from <= rate.from && other.to.is_none_or(|to| rate.from <= to) && !std::ptr::eq(other, rate);
        if scheme.rate.iter().map(Spanned::get_ref).any(overlaps) {
            faults.at(place, format!("标准“{}”与同一地区的另一条标准学期重叠", rate.id));
        }
        if scheme.rate.iter().filter(|other| other.get_ref().id == rate.id).count() > 1 {
            faults.at(place, format!("标准“{}”写了两次", rate.id));
        }
    }
}

fn check_rate(file: &File, rate: &Rate, place: usize, faults: &mut Faults) {
    let id = &rate.id;
    if rate.source.trim().is_empty() {
        faults.at(place, format!("标准“{id}”的source（文件依据）不能为空"));
    }
    if !is_region(&rate.region) {
        faults.at(place, format!("标准“{id}”的region “{}”应为行政区划码的前2、4或6位数字", rate.region));
    }
    if rate.to.is_some_and(|to| to < rate.from) {
        faults.at(place, format!("标准“{id}”的to早于from"));
    }
    if rate.grades[0] < 1 || rate.grades[1] < rate.grades[0] {
        faults.at(place, format!("标准“{id}”的grades（年级）应为从小到大的两个数"));
    }
    if rate.tiers.is_empty() || rate.tiers.windows(2).any(|pair| pair[0].yuan >= pair[1].yuan) {
        faults.at(place, format!("标准“{id}”的tiers（档次）应从低到高书写，至少一档"));
    }
    if rate.tiers.iter().enumerate().any(|(at, tier)| tier.name.is_empty() || rate.tiers[..at].iter().any(|other| other.name == tier.name)) {
        faults.at(place, format!("标准“{id}”的档次名称不能为空，不能重复"));
    }
    if rate.months_a_year < 1 || rate.tiers.iter().any(|tier| tier.yuan < 0 || tier.yuan > 1_000_000 || (tier.yuan * 100) % rate.months_a_year != 0) {
        faults.at(place, format!("标准“{id}”每月的金额应为整分：yuan除以months_a_year"));
    }
    if let Some(unknown) = rate.areas.iter().find(|name| !file.area.iter().any(|area| area.get_ref().name == **name)) {
        faults.at(place, format!("标准“{id}”引用的地区名单“{unknown}”没有写在[[area]]中"));
    }
    if rate.entitles.contains(&Ground::SpecialArea) == rate.areas.is_empty() {
        faults.at(place, format!("标准“{id}”：entitles写了SPECIAL_AREA的，应写areas（地区名单）；没有写的，不应写areas"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_program_is_sound_and_dated() {
        for policy in [Policy::built_in(), Policy::parse(BEFORE).expect("is sound")] {
            let grant = policy.scheme(SchemeCode::GRANT).expect("is there");
            let told = [("2016-AUTUMN", 2000, [1, 2]), ("2024-AUTUMN", 2000, [1, 2]), ("2025-SPRING", 2300, [1, 3]), ("2014-AUTUMN", 1500, [1, 2])];
            for (term, yuan, grades) in told {
                let rate = grant.rate_in(term.parse().expect("a term"), "430181").expect("covered");
                assert_eq!((rate.tier("").expect("a middle tier").yuan, rate.grades), (yuan, grades), "{term}");
            }
            let days = policy.days("2024-AUTUMN".parse().expect("a term"), "").expect("a season");
            assert_eq!(days.months.iter().map(|month| month.number()).collect::<Vec<_>>(), [202_409, 202_410, 202_411, 202_412, 202_501]);
            assert_eq!(days.due.to_string(), "2024-11-30");
        }
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let without = Policy::parse(&format!("switched_off = [\"MISSING_AWARD\"]\n{BUILT_IN}")).expect("is sound");
        assert!(!without.judges_by(Rule::MissingAward) && without.judges_by(Rule::NoEnrollment));
        for (from, to, named) in [
            ("months_a_year = 10", "months_a_year = 7", "整分"),
            ("to = \"2014-AUTUMN\"", "to = \"2016-AUTUMN\"", "重叠"),
            ("\"TUITION_WAIVER\"", "\"WAIVER\"", "缺少项目TUITION_WAIVER"),
            ("\"TUITION_WAIVER\"", "\"waiver\"", "“waiver”不是项目代码"),
            ("[9, 10, 11, 12, 1]", "[9, 9]", "payment_months"),
            ("[9, 10, 11, 12, 1]", "[9, 13]", "payment_months"),
            ("by_right = true", "by_rigth = true", "不认识的字段“by_rigth"),
            ("paid = \"MONTH\"", "paid = \"TERM\"", "不能改变"),
            ("grades = [1, 2]", "grades = [2, 1]", "grades"),
            ("season = \"SPRING\"", "season = \"SPRING\"\nregion = \"43\"", "缺少SPRING"),
            ("season = \"SPRING\"", "season = \"SPRING\"\nregion = \"湖南\"", "region"),
            ("\"SPECIAL_AREA\"", "\"RURAL\"", "areas"),
            ("\"四省涉藏州县\"]", "\"别处\"]", "“别处”没有写"),
            ("count_day = \"09-30\"", "count_day = \"08-01\"", "count_day"),
        ] {
            let text = BUILT_IN.replacen(from, to, 1);
            assert_ne!(text, BUILT_IN, "{from} is there");
            let error = Policy::parse(&text).expect_err("is wrong");
            assert!(error.to_string().contains(named), "{to}: {error}");
            assert!(error.0.iter().all(|fault| fault.line > 0 && fault.column > 0), "{error}");
        }
        let two = BUILT_IN.replace("grades = [1, 2]", "grades = [2, 1]");
        let faults = Policy::parse(&two).expect_err("is wrong").0;
        assert_eq!(faults.len(), BUILT_IN.matches("grades = [1, 2]").count(), "all are told at once: {faults:?}");
        let line = BUILT_IN.lines().position(|line| line.contains("grant-2012-autumn")).expect("is there");
        assert_eq!(faults[0].line, line, "the heading of the row");
    }

    #[test]
    fn what_is_said_for_the_smallest_region_holds() {
        let of_region = "
[[season]]
season = \"AUTUMN\"
region = \"4301\"
payment_months = [9, 10]
count_day = \"09-30\"
due = \"10-20\"
source = \"市文件\"
";
        let policy = Policy::parse(&BUILT_IN.replacen("[[season]]", &format!("{of_region}\n[[season]]"), 1)).expect("is sound");
        let due = |region: &str| policy.days("2024-AUTUMN".parse().expect("a term"), region).expect("a season").due.to_string();
        assert_eq!([due("430181"), due("430200"), due("")], ["2024-10-20", "2024-11-30", "2024-11-30"]);
        assert_eq!(policy.regions(), ["", "4301"]);
    }
}
