//! A policy as it is written: a TOML text, read and checked as a whole. Every fault is told with its place.

use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use xuezhu_domain::{Month, Season, Term, region};

use super::{
    FIRST_TERM_YEAR, TermDays, nearest,
    scheme::{Ground, Paid, Rate, Scheme, SchemeCode},
};
use crate::case::Rule;

/// The policy that comes with the program.
pub const BUILT_IN: &str = include_str!("../../policy/default.toml");
/// The policy of folders that lived before policies had versions.
pub const BEFORE: &str = include_str!("../../policy/before.toml");

/// Characters of a name, at most.
const NAME_CHARACTERS: usize = 60;
/// Schemes of a policy, and rates of a scheme, at most.
const ROWS: usize = 200;
/// Levels of hardship, at most.
const LEVELS: usize = 9;
/// Working days of a public notice: five are the least that the rules ask for.
const NOTICE_DAYS: std::ops::RangeInclusive<u32> = 5..=60;
/// Working days of grace, at most: a year's.
const GRACE: u32 = 250;
/// Years whose terms are tried: a leap year is among them, and three that are none.
const YEARS: std::ops::Range<i32> = FIRST_TERM_YEAR..FIRST_TERM_YEAR + 4;

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
    working_days: Spanned<u32>,
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
    /// Where it comes from.
    pub source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeRow {
    code: Spanned<String>,
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
    hardship: Option<Spanned<Hardship>>,
    #[serde(default)]
    notice: Vec<Spanned<NoticeRow>>,
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
    areas: Vec<Area>,
    hardship: Option<Hardship>,
    notices: Vec<NoticeRow>,
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
    let quoted = message.trim().split('`').enumerate().fold(String::new(), |text, (at, part)| match at {
        0 => part.to_owned(),
        at => format!("{text}{}{part}", if at % 2 == 1 { "“" } else { "”" }),
    });
    KNOWN.iter().fold(quoted, |text, (english, chinese)| text.replace(english, chinese))
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
        check_seasons(&file, &mut faults);
        check_areas(&file, &mut faults);
        check_hardship(&file, &mut faults);
        check_notices(&file, &mut faults);
        if file.scheme.len() > ROWS {
            faults.at(0, format!("项目不能超过{ROWS}个"));
        }
        for scheme in &file.scheme {
            check_scheme(&file, scheme, &mut faults);
        }
        for code in SchemeCode::OF_STATE {
            if !file.scheme.iter().any(|scheme| scheme.code.get_ref() == code.as_str()) {
                faults.at(text.len(), format!("缺少项目{}（[[scheme]] code = \"{0}\"）", code.as_str()));
            }
        }
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
        Self {
            text: text.to_owned(),
            fingerprint,
            seasons: file.season.into_iter().map(Spanned::into_inner).collect(),
            grace_working_days: file.grace.working_days.into_inner(),
            switched_off: file.switched_off,
            // Names are kept for good: those of texts that are refused are not.
            schemes: file.scheme.into_iter().filter_map(|row| scheme(row, &areas)).collect(),
            areas,
            hardship: file.hardship.map(Spanned::into_inner),
            notices: file.notice.into_iter().map(Spanned::into_inner).collect(),
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
        let notices = self.notices.iter().map(|row| row.region.as_str());
        let mut regions: Vec<&str> = self.seasons.iter().map(|row| row.region.as_str()).chain(rates).chain(notices).chain([""]).collect();
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

fn read(text: &str, faults: &mut Faults<'_>) -> Result<File, PolicyError> {
    toml::from_str(text).map_err(|error| {
        faults.at(error.span().map_or(0, |span| span.start), in_chinese(error.message()));
        PolicyError(std::mem::take(&mut faults.found))
    })
}

fn scheme(row: SchemeRow, areas: &[Area]) -> Option<Scheme> {
    let codes = |names: &[String]| -> Vec<String> {
        let named = areas.iter().filter(|area| names.contains(&area.name));
        named.flat_map(|area| area.codes.iter().cloned()).collect()
    };
    let rate = |rate: Spanned<Rate>| {
        let rate = rate.into_inner();
        Rate { area_codes: codes(&rate.areas), ..rate }
    };
    let code = SchemeCode::parse(row.code.get_ref())?;
    Some(Scheme { code, name: row.name, paid: row.paid, by_right: row.by_right, rate: row.rate.into_iter().map(rate).collect() })
}

/// Whether a text is the first digits of a region that there is or was, or all of them, or none. A province or city is its first digits: by
/// all six of them it would be the province or city alone, without what lies in it.
fn is_region(text: &str) -> bool {
    let digits = text.len() <= 6 && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_digit());
    let by_all_six = text.len() == 6 && text.ends_with("00");
    digits && !by_all_six && (text.is_empty() || !region::spans(&format!("{text:0<6}")).is_empty())
}

/// What is said of one that is none.
fn no_region(text: &str) -> String {
    format!("“{text}”应为行政区划码的前2位（省）、前4位（市）或6位（县区）")
}

/// Whether a name can be shown: one line, not empty, not too long.
fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= NAME_CHARACTERS && !text.chars().any(char::is_control)
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
            faults.at(place, format!("region {}", no_region(&row.region)));
        }
        if file.season[..at].iter().map(Spanned::get_ref).any(|other| other.season == row.season && other.region == row.region) {
            faults.at(place, "同一地区同一学期的日程写了两次");
        }
        if let Some(fault) = YEARS.map(|year| Term::new(year, row.season)).find_map(|term| fault_of(row, term)) {
            faults.at(place, fault);
        }
    }
    if *file.grace.working_days.get_ref() > GRACE {
        faults.at(file.grace.working_days.span().start, format!("宽限不能超过{GRACE}个工作日"));
    }
}

/// What is wrong with the days of a term.
fn fault_of(row: &SeasonRow, term: Term) -> Option<&'static str> {
    let Some(days) = row.days(term) else { return Some("payment_months、count_day或due不是每年都有的月份、日期（日期写作“09-30”）") };
    if days.months.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Some("payment_months（发放月份）应按先后次序书写，不能重复");
    }
    if days.months.iter().any(|month| month.first_day() < term.first_day() || month.first_day() >= term.end()) {
        return Some("payment_months（发放月份）应在本学期以内：秋季8月至次年1月，春季2月至7月");
    }
    let (first, last) = (days.months[0].first_day(), days.months[days.months.len() - 1].first_day());
    if days.count_day < first || days.count_day > last {
        return Some("count_day（核定日）应在首个发放月份的第一天与末个发放月份的第一天之间");
    }
    (days.due < first || days.due >= term.next().end()).then_some("due（名单期限）应在首个发放月份以后、下一学期结束以前")
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
        if !is_name(&area.name) || area.codes.is_empty() {
            faults.at(place, "地区名单应有一行以内的名称（name）和行政区划码（codes）");
        }
        if let Some(wrong) = area.codes.iter().find(|code| code.is_empty() || !is_region(code)) {
            faults.at(place, no_region(wrong));
        }
    }
}

fn check_hardship(file: &File, faults: &mut Faults) {
    let Some(spanned) = &file.hardship else { return };
    let (hardship, place) = (spanned.get_ref(), spanned.span().start);
    if hardship.source.trim().is_empty() {
        faults.at(place, "source（文件依据）不能为空");
    }
    let levels = &hardship.levels;
    let repeats = levels.iter().enumerate().any(|(at, level)| levels[..at].contains(level));
    if levels.is_empty() || levels.len() > LEVELS || levels.iter().any(|level| !is_name(level)) || repeats {
        faults.at(place, format!("困难等级（levels）应从重到轻书写1至{LEVELS}个，名称不能为空，不能重复"));
    }
}

fn check_notices(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.notice.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        if row.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if !is_region(&row.region) {
            faults.at(place, format!("region {}", no_region(&row.region)));
        }
        if row.to.is_some_and(|to| to < row.from) {
            faults.at(place, "公示的to早于from");
        }
        if !NOTICE_DAYS.contains(&row.working_days) {
            faults.at(place, format!("公示（working_days）应为{}至{}个工作日", NOTICE_DAYS.start(), NOTICE_DAYS.end()));
        }
        let overlaps = |other: &NoticeRow| other.region == row.region && other.from <= row.to.unwrap_or(other.from) && row.from <= other.to.unwrap_or(row.from);
        if file.notice[..at].iter().any(|other| overlaps(other.get_ref())) {
            faults.at(place, "同一地区的公示规定学期重叠");
        }
    }
}

fn check_scheme(file: &File, scheme: &SchemeRow, faults: &mut Faults) {
    let (code, at) = (scheme.code.get_ref().as_str(), scheme.code.span().start);
    if !SchemeCode::is_name(code) {
        faults.at(at, format!("“{code}”不是项目代码：应为大写字母开头，由大写字母、数字和下划线组成，不超过40个字符"));
    }
    if file.scheme.iter().filter(|other| other.code.get_ref() == code || other.name == scheme.name).count() > 1 {
        faults.at(at, format!("项目{code}（{}）的代码或名称写了两次", scheme.name));
    }
    if !is_name(&scheme.name) {
        faults.at(at, format!("项目{code}应有一行以内的名称（name），不超过{NAME_CHARACTERS}个字"));
    }
    if scheme.rate.is_empty() || scheme.rate.len() > ROWS {
        faults.at(at, format!("项目{code}的标准（[[scheme.rate]]）应有1至{ROWS}条"));
    }
    let of_state = SchemeCode::OF_STATE.into_iter().find(|known| known.as_str() == code);
    if of_state.and_then(SchemeCode::paid_by_state).is_some_and(|paid| paid != scheme.paid) {
        faults.at(at, format!("项目{code}的paid（按月或按学期）不能改变"));
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
    if !is_name(id) {
        faults.at(place, format!("标准应有一行以内的名称（id），不超过{NAME_CHARACTERS}个字"));
    }
    if !is_region(&rate.region) {
        faults.at(place, format!("标准“{id}”的region {}", no_region(&rate.region)));
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
    if rate.tiers.iter().enumerate().any(|(at, tier)| !is_name(&tier.name) || rate.tiers[..at].iter().any(|other| other.name == tier.name)) {
        faults.at(place, format!("标准“{id}”的档次名称不能为空，不能重复"));
    }
    if !(1..=12).contains(&rate.months_a_year) {
        faults.at(place, format!("标准“{id}”的months_a_year（一年分几个月）应为1至12"));
    } else if rate.tiers.iter().any(|tier| tier.yuan < 1 || tier.yuan > 1_000_000 || (tier.yuan * 100) % rate.months_a_year != 0) {
        faults.at(place, format!("标准“{id}”的金额应为正数，每月应为整分：yuan除以months_a_year"));
    }
    if let Some(unknown) = rate.areas.iter().find(|name| !file.area.iter().any(|area| area.get_ref().name == **name)) {
        faults.at(place, format!("标准“{id}”引用的地区名单“{unknown}”没有写在[[area]]中"));
    }
    if rate.entitles.contains(&Ground::Hardship) && file.hardship.is_none() {
        faults.at(place, format!("标准“{id}”：entitles写了HARDSHIP的，应写明困难等级（[hardship]）"));
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
            ("months_a_year = 10", "months_a_year = 0", "1至12"),
            ("months_a_year = 10", "months_a_year = 13", "1至12"),
            ("yuan = 1500", "yuan = 0", "正数"),
            ("working_days = 10", "working_days = 251", "宽限"),
            ("count_day = \"03-31\"", "count_day = \"02-29\"", "每年都有"),
            ("due = \"04-30\"", "due = \"02-29\"", "每年都有"),
            ("due = \"04-30\"", "due = \"02-20\"", "due"),
            ("due = \"11-30\"", "due = \"08-31\"", "due"),
            ("[9, 10, 11, 12, 1]", "[9, 10, 11, 12, 1, 2]", "本学期以内"),
            ("codes = [\"54\"]", "codes = [\"540000\"]", "540000"),
            ("codes = [\"54\"]", "codes = [\"99\"]", "“99”"),
            ("codes = [\"54\"]", "codes = []", "codes"),
            ("name = \"免学费\"", "name = \"国家助学金\"", "写了两次"),
            ("name = \"免学费\"", "name = \" \"", "名称"),
            ("id = \"waiver-2012-autumn\"", "id = \"\"", "名称（id）"),
            ("to = \"2014-AUTUMN\"", "to = \"2016-AUTUMN\"", "重叠"),
            ("\"TUITION_WAIVER\"", "\"WAIVER\"", "缺少项目TUITION_WAIVER"),
            ("\"TUITION_WAIVER\"", "\"waiver\"", "“waiver”不是项目代码"),
            ("[9, 10, 11, 12, 1]", "[9, 9]", "payment_months"),
            ("[9, 10, 11, 12, 1]", "[9, 13]", "payment_months"),
            ("by_right = true", "by_rigth = true", "不认识的字段“by_rigth”"),
            ("paid = \"MONTH\"", "paid = \"TERM\"", "不能改变"),
            ("grades = [1, 2]", "grades = [2, 1]", "grades"),
            ("season = \"SPRING\"", "season = \"SPRING\"\nregion = \"43\"", "缺少SPRING"),
            ("season = \"SPRING\"", "season = \"SPRING\"\nregion = \"湖南\"", "region"),
            ("\"SPECIAL_AREA\"", "\"RURAL\"", "areas"),
            ("\"四省涉藏州县\"]", "\"别处\"]", "“别处”没有写"),
            ("count_day = \"09-30\"", "count_day = \"08-01\"", "count_day"),
            ("\"困难\", \"一般困难\"]", "\"困难\", \"困难\"]", "困难等级"),
            ("levels = [", "ranks = [", "不认识的字段“ranks”"),
            ("working_days = 5", "working_days = 4", "5至60个工作日"),
            ("BEFORE_SIGNATURE\"", "AT_ONCE\"", "AT_ONCE"),
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
