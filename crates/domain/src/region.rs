//! Administrative divisions: GB/T 2260 codes with the years in which each was valid.
//!
//! Source: `data/regions.csv`. A code without an end is "not known to have ended" (some ends after 2020 are missing).

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{LazyLock, OnceLock},
};

use serde::{Deserialize, Serialize};

use crate::tables::{self, Fault, keep};

/// A span of years in which a code had a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Name in that span.
    pub name: &'static str,
    /// First year, where known.
    pub from: Option<i32>,
    /// Last year, where it ended.
    pub to: Option<i32>,
}

/// Columns of a table of regions.
pub const COLUMNS: [&str; 4] = ["code", "name", "from_year", "to_year"];

type Regions = HashMap<&'static str, Vec<Span>>;

static BUILT_IN: LazyLock<Regions> = LazyLock::new(|| {
    let mut regions = Regions::new();
    for line in include_str!("../data/regions.csv").lines().skip(1) {
        let mut fields = line.split(',');
        let (Some(code), Some(name)) = (fields.next(), fields.next()) else { continue };
        let mut year = || fields.next().and_then(|y| y.parse().ok());
        let (from, to) = (year(), year());
        regions.entry(code).or_default().push(Span { name, from, to });
    }
    regions
});
static WITH_OPERATORS: OnceLock<Regions> = OnceLock::new();

fn known() -> &'static Regions {
    WITH_OPERATORS.get().unwrap_or(&BUILT_IN)
}

/// Adds an operator's table to the regions, all of it or nothing. A process does it once, before its services start; a second time
/// changes nothing. Returns how many codes there are then.
pub fn load(text: &str) -> Result<usize, Fault> {
    let with = with(&BUILT_IN, text)?;
    Ok(WITH_OPERATORS.get_or_init(|| with).len())
}

/// Regions and what a table adds to them: a code, or, with the year from which it holds, another name of one; a line with a name that
/// the code has says its years anew. Nothing is taken away: a code that ended has a last year.
fn with(regions: &Regions, text: &str) -> Result<Regions, Fault> {
    let mut regions = regions.clone();
    let lines = tables::read(text, &COLUMNS)?;
    // A province may stand behind its counties.
    let provinces: Vec<&str> = lines.iter().map(|line| line.get("code")).filter(|code| code.ends_with("0000")).collect();
    for line in &lines {
        let (code, name) = (line.digits("code", 6)?, line.text("name")?);
        let (from, to) = (line.year("from_year")?, line.year("to_year")?);
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(line.fault("to_year", "lies before from_year"));
        }
        let province = format!("{}0000", &code[..2]);
        if !regions.contains_key(province.as_str()) && !provinces.contains(&province.as_str()) {
            return Err(line.fault("code", format!("there is no province {province}")));
        }
        let spans = regions.entry(keep(code)).or_default();
        if let Some(span) = spans.iter_mut().rev().find(|span| span.name == name) {
            (span.from, span.to) = (from.or(span.from), to);
            continue;
        }
        if let Some(last) = spans.last_mut() {
            let Some(from) = from else {
                return Err(line.fault("from_year", format!("{code} is {} already: since when is it {name}?", last.name)));
            };
            if last.from.is_some_and(|began| from <= began) {
                return Err(line.fault("from_year", format!("{code} is {} from {}: another name comes later", last.name, last.from.unwrap_or_default())));
            }
            last.to = last.to.filter(|to| *to < from).or(Some(from - 1));
        }
        spans.push(Span { name: keep(name), from, to });
    }
    Ok(regions)
}

/// Every span of a code; empty for one that never existed.
pub fn spans(code: &str) -> &'static [Span] {
    known().get(code).map_or(&[], Vec::as_slice)
}

/// All codes, unordered.
pub fn all() -> impl Iterator<Item = &'static str> {
    known().keys().copied()
}

/// Name of a code with those above it: 湖南省长沙市芙蓉区. Empty for one that no table knows.
pub fn full_name(code: &str) -> String {
    let mut name = String::new();
    let above = [code.get(..2).map(|p| format!("{p}0000")), code.get(..4).map(|p| format!("{p}00")), Some(code.to_owned())];
    let mut told: Vec<String> = above.into_iter().flatten().collect();
    told.dedup();
    for code in &told {
        let Some(span) = spans(code).last() else { continue };
        // What stands between a city and its districts only in the table is in nobody's address.
        if code == &told[told.len() - 1] || !(matches!(span.name, "市辖区" | "县") || span.name.contains("直辖")) {
            name.push_str(span.name);
        }
    }
    name
}

/// Whether a code has not ended by a year, as far as the table knows.
pub fn is_current(code: &str, year: i32) -> bool {
    spans(code).last().is_some_and(|span| span.to.is_none_or(|to| to >= year))
}

/// Codes of a name, alone or with names above it, that are current in a year; in order.
pub fn named(name: &str, year: i32) -> Vec<&'static str> {
    let name: String = name.split_whitespace().collect();
    let is_of = |code: &&str| is_current(code, year) && spans(code).last().is_some_and(|span| name.ends_with(span.name)) && full_name(code).ends_with(&name);
    let mut found: Vec<&'static str> = all().filter(is_of).collect();
    found.sort_unstable();
    found
}

/// Stable code of a doubt: a region that no table knows, of a province that exists.
pub const REGION_UNKNOWN: &str = "REGION_UNKNOWN";

/// Whether a text begins with the two digits of a province.
pub fn is_of_a_province(text: &str) -> bool {
    text.get(..2).is_some_and(|province| !spans(&format!("{province}0000")).is_empty())
}

/// What is doubtful about a code that a [`RegionCode`] took: regions are made every year, and tables come later.
pub fn doubt(code: &str) -> Option<String> {
    let known = code.is_empty() || !spans(code).is_empty();
    (!known).then(|| format!("行政区划码{code}不在历年国标（GB/T 2260）中，请核对；确属新设的区划，请运维人员补入行政区划表"))
}

/// Code of a province, prefecture or county that exists, or once did, or may have been made since: its province exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegionCode(String);

/// Why a region code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// Not six digits.
    #[error("行政区划码应为6位数字")]
    Form,
    /// Of a province that is in no edition of GB/T 2260.
    #[error("行政区划码在历年国标（GB/T 2260）中都不存在，请核对")]
    Unknown,
}

impl FromStr for RegionCode {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(RegionError::Form);
        }
        if is_of_a_province(text) { Ok(Self(text.to_owned())) } else { Err(RegionError::Unknown) }
    }
}

impl RegionCode {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Latest name.
    pub fn name(&self) -> &'static str {
        spans(&self.0).last().map_or("", |span| span.name)
    }

    /// The digits that all codes below this one begin with: two, four or six.
    pub fn prefix(&self) -> &str {
        prefix(&self.0)
    }

    /// Whether `other` is this region or lies within it.
    pub fn covers(&self, other: &str) -> bool {
        other.starts_with(self.prefix())
    }
}

/// The digits that all codes within a region begin with: two of a province, four of a prefecture, else six.
pub fn prefix(code: &str) -> &str {
    let kept = if code.ends_with("0000") {
        code.get(..2)
    } else if code.ends_with("00") {
        code.get(..4)
    } else {
        None
    };
    kept.unwrap_or(code)
}

/// [`prefix`], and the empty prefix, which all codes begin with, for an empty code.
pub fn prefix_or_all(code: &str) -> &str {
    if code.is_empty() { "" } else { prefix(code) }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abolished_codes_are_codes() {
        assert!("110103".parse::<RegionCode>().is_ok(), "崇文区 was merged away in 2010");
        assert_eq!("999999".parse::<RegionCode>(), Err(RegionError::Unknown));
        assert!("430199".parse::<RegionCode>().is_ok() && doubt("430199").is_some(), "of a province that exists: a doubt");
        assert_eq!((doubt("430102"), doubt("110103"), doubt("")), (None, None, None));
        assert_eq!("11010".parse::<RegionCode>(), Err(RegionError::Form));
    }

    #[test]
    fn a_region_is_found_by_its_name_alone_or_with_those_above() {
        assert_eq!(
            (full_name("430102").as_str(), full_name("110101").as_str(), full_name("430000").as_str()),
            ("湖南省长沙市芙蓉区", "北京市东城区", "湖南省")
        );
        for name in ["芙蓉区", "长沙市芙蓉区", "湖南省长沙市 芙蓉区"] {
            assert_eq!(named(name, 2026), ["430102"], "{name}");
        }
        assert_eq!(named("鼓楼区", 2026).len(), named("鼓楼区", 2026).iter().filter(|code| full_name(code).ends_with("鼓楼区")).count());
        assert!(named("鼓楼区", 2026).len() > 2, "several cities have one");
        assert_eq!(named("南京市鼓楼区", 2026), ["320106"]);
        assert!(named("芙蓉", 2026).is_empty() && named("", 2026).is_empty() && named("崇文区", 2026).is_empty() && named("北京市崇文区", 2005) == ["110103"]);
    }

    #[test]
    fn an_operators_table_adds_and_renames_by_year_and_drops_nothing() {
        let read = |lines: &str| with(&BUILT_IN, &format!("{}\n{lines}\n", COLUMNS.join(",")));
        let regions = read("430199,新设区,2026,\n430102,新芙蓉区,2027,\n430103,天心区,,2026\n990102,某县,,\n990000,某省,2026,").expect("is good");
        assert_eq!(regions.len(), BUILT_IN.len() + 3);
        assert_eq!(regions["430199"], [Span { name: "新设区", from: Some(2026), to: None }]);
        let renamed: Vec<(&str, Option<i32>)> = regions["430102"].iter().map(|span| (span.name, span.to)).collect();
        assert_eq!(renamed[renamed.len() - 2..], [("芙蓉区", Some(2026)), ("新芙蓉区", None)]);
        assert_eq!(regions["430103"].last().map(|span| (span.name, span.to)), Some(("天心区", Some(2026))));
        for (lines, line, column) in [
            ("43019,新设区,2026,", 2, "code"),
            ("430198,,2026,", 2, "name"),
            ("430198,甲区,2026,\n430199,新设区,26,", 3, "from_year"),
            ("430199,新设区,2026,2025", 2, "to_year"),
            ("430102,新芙蓉区,,", 2, "from_year"),
            ("990102,某县,,", 2, "code"),
        ] {
            let fault = read(lines).expect_err("is told");
            assert_eq!((fault.line, fault.column.as_str()), (line, column), "{lines}");
        }
    }

    #[test]
    fn codes_made_in_recent_years_are_codes() {
        for code in ["350405", "450181"] {
            assert!(code.parse::<RegionCode>().is_ok(), "{code}");
        }
    }

    #[test]
    fn a_region_covers_what_lies_below() {
        let province: RegionCode = "430000".parse().expect("exists");
        assert!(province.covers("430102") && !province.covers("440102"));
        let city: RegionCode = "430100".parse().expect("exists");
        assert!(city.covers("430102") && !city.covers("430202"));
    }
}
