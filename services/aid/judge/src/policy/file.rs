//! A policy as it is written: a TOML text, read and checked as a whole. Every fault is told with its place.

use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use xuezhu_domain::{Month, Season, Term};

use super::{
    Stop, TermDays,
    checks::check,
    nearest,
    private::{PrivateSchools, School},
    quota::{Each, Quota},
    scheme::{Paid, Paper, Payee, Rate, Scheme, SchemeCode},
    sharing::Sharing,
    smallest,
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
    /// The last day on which lists can be worked on, such as `01-31`; none where they never lock.
    pub lock: Option<String>,
    /// From when on aid stops that goes by month.
    #[serde(default)]
    pub stop: Stop,
    /// Where it comes from.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grace {
    pub working_days: Spanned<u32>,
}

/// A list of regions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its name.
    pub name: String,
    /// First digits of the regions in it.
    pub codes: Vec<String>,
    /// Where it comes from.
    pub source: String,
}

/// A list of majors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Majors {
    /// Its name.
    pub name: String,
    /// Catalogue and code of each: `2010-141000`.
    pub codes: Vec<String>,
    /// Where it comes from.
    pub source: String,
}

/// Where a public notice (公示) lies on a list's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeOrder {
    /// What is submitted is shown before the principal signs it.
    BeforeSignature,
    /// What the department approved is shown before it is paid.
    AfterAudit,
}

impl NoticeOrder {
    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeSignature => "校长审签以前",
            Self::AfterAudit => "主管部门审核以后、发放以前",
        }
    }
}

/// For how long lists of some terms are shown publicly, and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRow {
    /// First digits of the regions of schools for which it holds; empty for all.
    #[serde(default)]
    pub region: String,
    /// First term.
    pub from: Term,
    /// Last term; none while it lasts.
    pub to: Option<Term>,
    /// When.
    pub order: NoticeOrder,
    /// For how many whole working days.
    pub working_days: u32,
    /// Where it comes from.
    pub source: String,
}

/// 家庭经济困难 as it is determined.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardship {
    /// Names of the levels, the hardest first.
    pub levels: Vec<String>,
    /// Of how many of a hundred levels papers are asked for beside the signed word.
    #[serde(default)]
    pub papers_percent: u32,
    /// Where it comes from.
    pub source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SchemeRow {
    pub code: Spanned<String>,
    pub name: String,
    pub paid: Paid,
    by_right: bool,
    payee: Option<Payee>,
    #[serde(default)]
    asks: Vec<Paper>,
    pub rate: Vec<Spanned<Rate>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub season: Vec<Spanned<SeasonRow>>,
    pub grace: Grace,
    #[serde(default)]
    switched_off: Vec<Rule>,
    #[serde(default)]
    pub area: Vec<Spanned<Area>>,
    #[serde(default)]
    pub major: Vec<Spanned<Majors>>,
    pub hardship: Option<Spanned<Hardship>>,
    #[serde(default)]
    pub notice: Vec<Spanned<NoticeRow>>,
    #[serde(default)]
    pub quota: Vec<Spanned<Quota>>,
    #[serde(default)]
    pub sharing: Vec<Spanned<Sharing>>,
    #[serde(default)]
    pub private: Vec<Spanned<PrivateSchools>>,
    pub scheme: Vec<SchemeRow>,
}

/// One policy: what an officer signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    text: String,
    fingerprint: uuid::Uuid,
    seasons: Vec<SeasonRow>,
    grace_working_days: u32,
    switched_off: Vec<Rule>,
    areas: Vec<Area>,
    majors: Vec<Majors>,
    hardship: Option<Hardship>,
    notices: Vec<NoticeRow>,
    quotas: Vec<Quota>,
    sharings: Vec<Sharing>,
    private: Vec<PrivateSchools>,
    schemes: Vec<Scheme>,
}

/// Faults as they are found, with their places in a text.
pub(super) struct Faults<'t> {
    pub text: &'t str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    pub fn at(&mut self, offset: usize, text: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        self.found.push(Fault { line, column, text: text.into() });
    }
}

/// What the reader of TOML says, in Chinese as far as it is known: the words in quotes stay as they are.
fn in_chinese(message: &str) -> String {
    const KNOWN: [(&str, &str); 22] = [
        ("unknown field ", "不认识的字段"),
        ("missing field ", "缺少字段"),
        ("unknown variant ", "不认识的取值"),
        ("duplicate key", "重复的字段"),
        ("invalid type: ", "类型不对："),
        ("invalid length ", "个数不对："),
        (", expected ", "，应为"),
        ("cannot recurse further; max recursion depth met", "嵌套太深"),
        ("missing comma between array elements", "各项之间要有英文逗号"),
        ("string values must be quoted", "文字要写在英文引号里"),
        ("key with no value", "字段后面要有英文等号和取值"),
        ("invalid unquoted key", "字段名只能用英文字母、数字、下划线和短横"),
        ("wanted string or table", "类型不对，应为文字"),
        ("literal string", "文字"),
        ("one of ", "其中之一："),
        (" or ", "或"),
        ("：integer ", "：整数"),
        ("：string ", "：文字"),
        ("：map，", "：表，"),
        ("：sequence，", "：数组，"),
        ("a sequence", "数组（写在[ ]里）"),
        ("a string", "文字（写在英文引号里）"),
    ];
    let chinese = |words: &str| KNOWN.iter().fold(words.to_owned(), |text, (english, chinese)| text.replace(english, chinese));
    let quoted = message.trim().split('`').enumerate();
    quoted.map(|(at, part)| if at % 2 == 1 { format!("“{part}”") } else { chinese(part) }).collect()
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
        let file = read(text, &mut faults)?;
        check(&file, &mut faults);
        if !faults.found.is_empty() {
            faults.found.sort_by_key(|fault| (fault.line, fault.column));
            return Err(PolicyError(faults.found));
        }
        Ok(Self::of(text, file))
    }

    /// Reads a text that was found sound when it was taken: what is asked of texts now was not asked of it then.
    pub fn kept(text: &str) -> Result<Self, PolicyError> {
        let mut faults = Faults { text, found: Vec::new() };
        Ok(Self::of(text, read(text, &mut faults)?))
    }

    fn of(text: &str, file: File) -> Self {
        let fingerprint = uuid::Uuid::from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]).unwrap_or_default();
        let areas: Vec<Area> = file.area.into_iter().map(Spanned::into_inner).collect();
        let majors: Vec<Majors> = file.major.into_iter().map(Spanned::into_inner).collect();
        Self {
            text: text.to_owned(),
            fingerprint,
            seasons: file.season.into_iter().map(Spanned::into_inner).collect(),
            grace_working_days: file.grace.working_days.into_inner(),
            switched_off: file.switched_off,
            // Names are kept for good: those of texts that are refused are not.
            schemes: file.scheme.into_iter().filter_map(|row| scheme(row, &areas, &majors)).collect(),
            areas,
            majors,
            hardship: file.hardship.map(Spanned::into_inner),
            notices: file.notice.into_iter().map(Spanned::into_inner).collect(),
            quotas: file.quota.into_iter().map(Spanned::into_inner).collect(),
            sharings: file.sharing.into_iter().map(Spanned::into_inner).collect(),
            private: file.private.into_iter().map(Spanned::into_inner).collect(),
        }
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

    /// Lists of regions.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// Lists of majors.
    pub fn majors(&self) -> &[Majors] {
        &self.majors
    }

    /// How hardship is determined; none where it is not.
    pub fn hardship(&self) -> Option<&Hardship> {
        self.hardship.as_ref()
    }

    /// For how long lists are shown publicly, and when.
    pub fn notices(&self) -> &[NoticeRow] {
        &self.notices
    }

    /// The notice that lists of a term need at a school of a region; none where they need none.
    pub fn notice(&self, term: Term, region: &str) -> Option<&NoticeRow> {
        nearest(self.notices.iter().filter(|row| row.from <= term && row.to.is_none_or(|to| term <= to)), region, |row| &row.region)
    }

    /// How many may be given schemes on some grounds.
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// The limits under which lists of a scheme and term lie at a school of a region: of each reach at most one, the widest first.
    pub fn quotas_of(&self, scheme: SchemeCode, term: Term, region: &str) -> Vec<&Quota> {
        let of = |each: Each| {
            let rows = self.quotas.iter().filter(|row| row.each == each && row.scheme == scheme.as_str() && row.covers(term));
            smallest(rows, region, |row| &row.regions)
        };
        Each::ALL.into_iter().filter_map(of).collect()
    }

    /// By whom costs are borne.
    pub fn sharings(&self) -> &[Sharing] {
        &self.sharings
    }

    /// By whom the cost of a scheme is borne in a term, of schools of a region: what was said for the smallest region; none where nothing was.
    pub fn sharing(&self, scheme: SchemeCode, term: Term, region: &str) -> Option<&Sharing> {
        let rows = self.sharings.iter().filter(|row| row.covers(term) && row.schemes.iter().any(|code| code == scheme.as_str()));
        smallest(rows, region, |row| &row.regions)
    }

    /// Which private schools may be given aid.
    pub fn private_schools(&self) -> &[PrivateSchools] {
        &self.private
    }

    /// The list of private schools that a school of a region would have to be on, were it private, to be given a scheme in a term: that of the
    /// smallest region; none where nobody drew up one, and private schools are as good as all others.
    pub fn private_list(&self, scheme: SchemeCode, term: Term, region: &str) -> Option<&PrivateSchools> {
        let rows = self.private.iter().filter(|row| row.covers(scheme, term));
        smallest(rows, region, |row| &row.regions)
    }

    /// Whether students of a school may be given a scheme in a term, whoever they are: of a private one, whether it is on its province's list.
    pub fn admits(&self, scheme: SchemeCode, term: Term, school: School<'_>) -> bool {
        let list = if school.is_private { self.private_list(scheme, term, school.region) } else { None };
        list.is_none_or(|row| row.schools.iter().any(|code| code == school.code))
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

    /// First digits of the regions for which it says anything of its own of terms, amounts and notices, and none, for all others.
    pub fn regions(&self) -> Vec<&str> {
        let rates = self.schemes.iter().flat_map(|scheme| &scheme.rate).map(|rate| rate.region.as_str());
        let notices = self.notices.iter().map(|row| row.region.as_str());
        let mut regions: Vec<&str> = self.seasons.iter().map(|row| row.region.as_str()).chain(rates).chain(notices).chain([""]).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }
}

impl SeasonRow {
    pub(super) fn days(&self, term: Term) -> Option<TermDays> {
        let first = *self.payment_months.first()?;
        let year_of = |month: u32| if month < first { term.year() + 1 } else { term.year() };
        let months = self.payment_months.iter().map(|month| Month::new(year_of(*month), *month).ok()).collect::<Option<Vec<_>>>()?;
        let day = |text: &str| {
            let (month, day) = text.split_once('-')?;
            let month: u32 = month.parse().ok()?;
            NaiveDate::from_ymd_opt(year_of(month), month, day.parse().ok()?)
        };
        let lock = match &self.lock {
            Some(lock) => Some(day(lock)?),
            None => None,
        };
        Some(TermDays { term, months, count_day: day(&self.count_day)?, due: day(&self.due)?, lock, stop: self.stop })
    }
}

fn read(text: &str, faults: &mut Faults<'_>) -> Result<File, PolicyError> {
    toml::from_str(text).map_err(|error| {
        faults.at(error.span().map_or(0, |span| span.start), in_chinese(error.message()));
        PolicyError(std::mem::take(&mut faults.found))
    })
}

fn scheme(row: SchemeRow, areas: &[Area], majors: &[Majors]) -> Option<Scheme> {
    let codes = |names: &[String]| -> Vec<String> {
        let named = areas.iter().filter(|area| names.contains(&area.name));
        named.flat_map(|area| area.codes.iter().cloned()).collect()
    };
    let keys = |names: &[String]| -> Vec<String> {
        let named = majors.iter().filter(|list| names.contains(&list.name));
        named.flat_map(|list| &list.codes).flat_map(|code| xuezhu_domain::majors::keys_of(code)).collect()
    };
    let rate = |rate: Spanned<Rate>| {
        let rate = rate.into_inner();
        Rate { area_codes: codes(&rate.areas), major_keys: keys(&rate.majors), ..rate }
    };
    let code = SchemeCode::parse(row.code.get_ref())?;
    Some(Scheme {
        code,
        name: row.name,
        paid: row.paid,
        by_right: row.by_right,
        payee: row.payee,
        asks: row.asks,
        rate: row.rate.into_iter().map(rate).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_shared_by_the_smallest_region() {
        let policy = Policy::built_in();
        let central = |term: &str, region: &str| {
            let sharing = policy.sharing(SchemeCode::GRANT, term.parse().expect("a term"), region)?;
            sharing.shares.first().map(|share| (share.level.as_str(), share.percent))
        };
        for (term, region, told) in [
            ("2026-AUTUMN", "430102", Some(("中央", 60))),
            ("2026-AUTUMN", "510104", Some(("中央", 80))),
            ("2026-AUTUMN", "370102", Some(("中央", 50))),
            ("2026-AUTUMN", "370202", Some(("中央", 30))),
            ("2026-AUTUMN", "110101", Some(("中央", 10))),
            ("2018-AUTUMN", "430102", None),
        ] {
            assert_eq!(central(term, region), told, "{term} {region}");
        }
        let all: usize = policy.sharings().iter().map(|row| row.regions.iter().filter(|code| code.len() == 2).count()).sum();
        assert_eq!(all, 31, "every province once");
    }

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
            ("months_a_year = 10", "months_a_year = 0", "1至12"),
            ("months_a_year = 10", "months_a_year = 13", "1至12"),
            ("yuan = 1500", "yuan = 0", "正数"),
            ("working_days = 10", "working_days = 251", "宽限"),
            ("count_day = \"03-31\"", "count_day = \"02-29\"", "每年都有"),
            ("due = \"04-30\"", "due = \"02-29\"", "每年都有"),
            ("due = \"04-30\"", "due = \"02-20\"", "due"),
            ("lock = \"01-31\"", "lock = \"10-31\"", "lock"),
            ("lock = \"07-31\"", "lock = \"02-29\"", "每年都有"),
            ("due = \"11-30\"", "due = \"08-31\"", "due"),
            ("[9, 10, 11, 12, 1]", "[9, 10, 11, 12, 1, 2]", "本学期以内"),
            ("codes = [\"54\"]", "codes = [\"540000\"]", "540000"),
            ("codes = [\"54\"]", "codes = [\"99\"]", "“99”"),
            ("codes = [\"54\"]", "codes = []", "codes"),
            ("name = \"免学费\"", "name = \"国家助学金\"", "写了两次"),
            ("name = \"免学费\"", "name = \" \"", "名称"),
            ("id = \"waiver-2012-autumn\"", "id = \"\"", "名称（id）"),
            ("to = \"2014-AUTUMN\"", "to = \"2016-AUTUMN\"", "重叠"),
            ("code = \"TUITION_WAIVER\"", "code = \"WAIVER\"", "缺少项目TUITION_WAIVER"),
            ("code = \"TUITION_WAIVER\"", "code = \"waiver\"", "“waiver”不是项目代码"),
            ("[9, 10, 11, 12, 1]", "[9, 9]", "payment_months"),
            ("[9, 10, 11, 12, 1]", "[9, 13]", "payment_months"),
            ("by_right = true", "by_rigth = true", "不认识的字段“by_rigth”"),
            ("paid = \"MONTH\"", "paid = \"TERM\"", "不能改变"),
            ("grades = [1, 2]", "grades = [2, 1]", "grades"),
            ("season = \"SPRING\"", "season = \"SPRING\"\nregion = \"43\"", "缺少SPRING"),
            ("season = \"SPRING\"", "season = \"SPRING\"\nregion = \"湖南\"", "region"),
            ("\"SPECIAL_AREA\", \"HARDSHIP\"]", "\"RURAL\", \"HARDSHIP\"]", "areas"),
            ("\"四省涉藏州县\"]", "\"别处\"]", "“别处”没有写"),
            ("codes = [\"2010-141000\", ", "codes = [\"2010-140700\", ", "正确的代码是2010-141000"),
            ("codes = [\"2010-141000\", ", "codes = [\"141000\", ", "“141000”不是"),
            ("codes = [\"2010-141000\", ", "codes = [\"2021-750203\", ", "“2021-750203”写了两次"),
            ("codes = [\"2010-141000\", \"2021-750203\"]", "codes = []", "专业名单应有"),
            ("majors = [\"戏曲表演\"]", "majors = [\"杂技\"]", "“杂技”没有写"),
            ("majors = [\"戏曲表演\"]\n", "", "LISTED_MAJOR"),
            ("\"LISTED_MAJOR\", ", "", "LISTED_MAJOR"),
            ("count_day = \"09-30\"", "count_day = \"08-01\"", "count_day"),
            ("\"困难\", \"一般困难\"]", "\"困难\", \"困难\"]", "困难等级"),
            ("levels = [", "ranks = [", "不认识的字段“ranks”"),
            ("levels = [", "papers_percent = 101\nlevels = [", "抽查（papers_percent）"),
            ("working_days = 5", "working_days = 4", "5至60个工作日"),
            ("BEFORE_SIGNATURE\"", "AT_ONCE\"", "AT_ONCE"),
            ("percent = 10", "percent = 101", "不能超过100"),
            ("percent = 10", "percent = 10\npersons = 3", "写其中一个"),
            ("percent = 10\n", "", "写其中一个"),
            ("limits = [\"HARDSHIP\"]", "limits = []", "至少写一种"),
            ("limits = [\"HARDSHIP\"]", "limits = [\"SPECIAL_AREA\"]", "不计入基数"),
            ("each = \"PROVINCE\"", "each = \"CLASS\"", "“CLASS”"),
            ("regions = [\"14\",", "regions = [\"1401\",", "小于它的范围"),
            ("base_without = [\"AGRICULTURAL_MAJOR\"", "base_without = [\"HARDSHIP\"", "不能写HARDSHIP"),
            ("id = \"share-middle\"", "id = \"share-east\"", "写了两次"),
            ("regions = [\"14\",", "regions = [\"11\",", "学期重叠"),
            ("regions = [\"14\",", "regions = [\"140000\",", "140000"),
            ("scheme = \"GRANT\"", "scheme = \"OTHER_GRANT\"", "没有写在[[scheme]]"),
            ("payee = \"STUDENT\"", "payee = \"TEACHER\"", "“TEACHER”"),
            ("{ level = \"中央\", percent = 80 }", "{ level = \"中央\", percent = 81 }", "合计应为100"),
            ("{ level = \"中央\", percent = 80 }", "{ level = \"地方\", percent = 80 }", "不能重复"),
            ("regions = [\"11\", \"31\"]", "regions = [\"11\", \"12\"]", "分担学期重叠"),
            ("regions = [\"11\", \"31\"]", "regions = [\"110000\"]", "“110000”应为行政区划码"),
            ("schemes = [\"GRANT\", \"TUITION_WAIVER\"]", "schemes = [\"PRIZE\"]", "“PRIZE”没有写在[[scheme]]中"),
            ("lock = \"01-31\"", "lock = \"01-31\"\nstop = \"AT_ONCE\"", "“AT_ONCE”"),
            ("asks = [\"APPLICATION\"]", "asks = [\"PHOTO\"]", "“PHOTO”"),
            ("yuan = 1000 }", "yuan = 1000, levels = [\"困难\"] }", "最低一档"),
            ("yuan = 2000 }", "yuan = 2000, levels = [\"很困难\"] }", "“很困难”没有写"),
            ("yuan = 2000 }", "yuan = 2000, grounds = [\"RURAL\"] }", "不在entitles"),
            ("# 家庭经济困难学生认定：", "[[notice]]\nfrom = \"2020-AUTUMN\"\norder = \"AFTER_AUDIT\"\nworking_days = 5\nsource = \"x\"\n#", "学期重叠"),
        ] {
            let text = BUILT_IN.replacen(from, to, 1);
            assert_ne!(text, BUILT_IN, "{from} is there");
            let error = Policy::parse(&text).expect_err("is wrong");
            assert!(error.to_string().contains(named), "{to}: {error}");
            assert!(error.0.iter().all(|fault| fault.line > 0 && fault.column > 0), "{error}");
        }
        assert!(Policy::parse(&BUILT_IN.replace("working_days = 10", "working_days = 250")).is_ok());
        // What was taken once is read for good, whatever is asked of texts now.
        let taken = BUILT_IN.replace("due = \"04-30\"", "due = \"02-29\"");
        assert!(Policy::parse(&taken).is_err() && Policy::kept(&taken).is_ok_and(|kept| kept.text() == taken));
        let two = BUILT_IN.replace("grades = [1, 2]", "grades = [2, 1]");
        let faults = Policy::parse(&two).expect_err("is wrong").0;
        assert_eq!(faults.len(), BUILT_IN.matches("grades = [1, 2]").count(), "all are told at once: {faults:?}");
        let line = BUILT_IN.lines().position(|line| line.contains("grant-2012-autumn")).expect("is there");
        assert_eq!(faults[0].line, line, "the heading of the row");
    }

    #[test]
    fn what_the_reader_says_is_chinese_but_for_the_words_of_the_text() {
        for (said, told) in [
            ("unknown field `one of a string`, expected one of `from`, `to`", "不认识的字段“one of a string”，应为其中之一：“from”, “to”"),
            ("unknown variant `X`, expected `NEXT_MONTH` or `SAME_MONTH`", "不认识的取值“X”，应为“NEXT_MONTH”或“SAME_MONTH”"),
            ("invalid type: map, expected a sequence", "类型不对：表，应为数组（写在[ ]里）"),
            ("invalid type: integer `3643000009`, expected a string", "类型不对：整数“3643000009”，应为文字（写在英文引号里）"),
        ] {
            assert_eq!(in_chinese(said), told);
        }
    }

    #[test]
    fn a_list_of_private_schools_is_checked_with_its_place() {
        let list = "[[private]]
schemes = [\"GRANT\"]
regions = [\"43\"]
from = \"2020-AUTUMN\"
to = \"2021-SPRING\"
schools = []
source = \"省名单\"

";
        let with = |list: &str| BUILT_IN.replacen("[[scheme]]", &format!("{list}[[scheme]]"), 1);
        let policy = Policy::parse(&with(list)).expect("is sound");
        let admits = |term: &str, code: &str, is_private: bool| {
            let school = super::School { code, region: "430102", is_private };
            policy.admits(SchemeCode::GRANT, term.parse().expect("a term"), school)
        };
        assert_eq!(
            [admits("2020-AUTUMN", "3643000001", true), admits("2020-AUTUMN", "3643000001", false), admits("2021-AUTUMN", "3643000001", true)],
            [false, true, true]
        );
        let again = list.replace("2021-SPRING", "2020-AUTUMN");
        for (from, to, named) in [
            ("schools = []", "schools = [\"3643000001\", \"364300000\"]", "第2个代码：学校代码应为10位数字"),
            ("schools = []", "schools = [\"3643000001\", \"3643000001\"]", "第2个代码前面已经写过"),
            ("schools = []", "pupils = []", "不认识的字段“pupils”"),
            ("schemes = [\"GRANT\"]\nregions", "schemes = []\nregions", "民办学校名单的schemes至少写一个项目"),
            ("schemes = [\"GRANT\"]\nregions", "schemes = [\"PRIZE\"]\nregions", "民办学校名单的项目（schemes）“PRIZE”"),
            ("regions = [\"43\"]", "regions = [\"4300\"]\nfoo = 1", "不认识的字段“foo”"),
            ("regions = [\"43\"]", "regions = [\"430000\"]", "“430000”应为行政区划码"),
            ("to = \"2021-SPRING\"", "to = \"2019-SPRING\"", "民办学校名单的to早于from"),
            ("source = \"省名单\"", "source = \" \"", "source（文件依据）不能为空"),
            (list, &format!("{again}{list}"), "民办学校名单学期重叠"),
        ] {
            let Err(error) = Policy::parse(&with(&list.replacen(from, to, 1))) else { panic!("{to} is wrong") };
            assert!(error.to_string().contains(named), "{to}: {error}");
            assert!(error.0.iter().all(|fault| fault.line > 0 && fault.column > 0), "{error}");
        }
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
        let notice = |term: &str| policy.notice(term.parse().expect("a term"), "430181").map(|row| (row.order, row.working_days));
        assert_eq!(notice("2024-AUTUMN"), Some((NoticeOrder::BeforeSignature, 5)));
        assert_eq!(Policy::of_before().notice("2024-AUTUMN".parse().expect("a term"), "430181"), None);
    }
}
