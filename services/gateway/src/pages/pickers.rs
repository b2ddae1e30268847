//! What people type to name a region, a school or a major: a code, a name, or both as the page offers them. What is neither is told with
//! what was typed; nothing is cut or guessed.

use chrono::{Datelike, NaiveDate};
use tonic::Status;
use xuezhu_domain::{majors, region};
use xuezhu_proto::enrollment::{ListSchoolsRequest, Major, School};

use super::Desk;

/// Choices that a page offers at most: more are found by typing a part.
const OFFERED: usize = 400;
/// Choices that are told where a name is several'.
const TOLD: usize = 8;

/// A choice: what is filled in, which holds code and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
}

impl Choice {
    /// As it is filled in.
    pub fn filled(&self) -> String {
        format!("{} {}", self.code, self.name)
    }
}

/// Code and name of a region, as pages show it.
pub fn region_name(code: &str) -> String {
    let name = region::full_name(code);
    if name.is_empty() { code.to_owned() } else { format!("{name}（{code}）") }
}

/// Regions that a page offers: those within an organisation's, else provinces and cities.
pub fn regions(organisation: &str, today: NaiveDate) -> Vec<Choice> {
    let prefix = region::prefix_or_all(organisation);
    let offered = |code: &&str| code.starts_with(prefix) && (prefix.len() >= 2 || code.ends_with("00")) && region::is_current(code, today.year());
    let mut codes: Vec<&str> = region::all().filter(offered).collect();
    codes.sort_unstable();
    codes.into_iter().take(OFFERED).map(|code| Choice { code: code.to_owned(), name: region::full_name(code) }).collect()
}

/// The digits that a text begins with, and what stands behind them; no digits where it begins with a name.
fn parted(typed: &str) -> (&str, &str) {
    let end = typed.find(|c: char| !c.is_ascii_digit()).unwrap_or(typed.len());
    let (digits, rest) = typed.split_at(end);
    (digits, rest.trim())
}

/// The code of a region that somebody means.
pub fn region(typed: &str, today: NaiveDate) -> Result<String, String> {
    let typed = typed.trim();
    let (digits, rest) = parted(typed);
    if !digits.is_empty() {
        if digits.len() != 6 {
            return Err(format!("行政区划码应为6位数字，填的是“{typed}”（{}位数字）", digits.len()));
        }
        let name = region::full_name(digits);
        if !rest.is_empty() && !name.ends_with(rest) {
            return Err(format!("“{digits}”是{name}，与所填的“{rest}”不一致，请核对"));
        }
        return Ok(digits.to_owned());
    }
    match &region::named(typed, today.year())[..] {
        [code] => Ok((*code).to_owned()),
        [] => Err(format!("没有叫“{typed}”的行政区划：请写全称，或6位行政区划码")),
        several => {
            let told: Vec<String> = several.iter().take(TOLD).map(|code| region_name(code)).collect();
            Err(format!("叫“{typed}”的行政区划有{}个，请写全或写代码：{}", several.len(), told.join("、")))
        }
    }
}

/// The majors that somebody means, by code or name, parted by blanks, commas or lines.
pub fn majors(typed: &str, catalogue: &str) -> Result<Vec<Major>, String> {
    let catalogue = if catalogue.is_empty() { "2010" } else { catalogue };
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for part in typed.split(|c: char| c.is_whitespace() || "，、,;；".contains(c)).filter(|part| !part.is_empty()) {
        match major(part, catalogue) {
            Ok(major) => found.push(major),
            Err(why) => faults.push(why),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(faults.join("；")) }
}

fn major(part: &str, catalogue: &str) -> Result<Major, String> {
    let (catalogue, code) = match part.split_once('-') {
        Some((year, code)) if year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) => (year, code),
        _ => (catalogue, part),
    };
    let known = if code.bytes().any(|b| b.is_ascii_digit()) {
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("专业代码应为6位数字，填的是“{part}”"));
        }
        majors::major(catalogue, code)
    } else {
        majors::named(catalogue, code).first().copied()
    };
    match known {
        Some(known) => Ok(Major { catalogue: known.catalogue.into(), code: known.code.into(), ..Major::default() }),
        None => Err(format!("{catalogue}年专业目录中没有“{code}”")),
    }
}

/// The code of a school that somebody means, of those that they may see. The error is theirs to mend.
pub async fn school(desk: &Desk, typed: &str) -> Result<Result<String, String>, Status> {
    let typed = typed.trim();
    let (digits, rest) = parted(typed);
    if digits.len() == 10 {
        return Ok(Ok(digits.to_owned()));
    }
    if !digits.is_empty() && rest.is_empty() {
        return Ok(Err(format!("学校代码应为10位数字，填的是“{typed}”（{}位）", digits.len())));
    }
    let found = schools(desk, typed, TOLD).await?;
    let same: Vec<&Choice> = found.iter().filter(|school| school.name == typed).collect();
    Ok(match (&same[..], &found[..]) {
        ([one], _) => Ok(one.code.clone()),
        ([], [one]) => Ok(one.code.clone()),
        (_, []) => Err(format!("没有名称含“{typed}”的学校")),
        (_, several) => {
            let told: Vec<String> = several.iter().map(|school| format!("{}（{}）", school.name, school.code)).collect();
            Err(format!("名称含“{typed}”的学校不止一所，请写全或写代码：{}", told.join("、")))
        }
    })
}

/// The code of a region or of a school that somebody means; empty for all.
pub async fn scope(desk: &Desk, typed: &str) -> Result<Result<String, String>, Status> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Ok(String::new()));
    }
    match parted(typed).0.len() {
        6 => Ok(region(typed, desk.civil_day())),
        0 => match region(typed, desk.civil_day()) {
            Ok(code) => Ok(Ok(code)),
            Err(of_regions) => Ok(school(desk, typed).await?.map_err(|of_schools| format!("{of_regions}；{of_schools}"))),
        },
        10 => school(desk, typed).await,
        digits => Ok(Err(format!("应为6位行政区划码或10位学校代码，填的是“{typed}”（{digits}位）"))),
    }
}

/// Schools whose name holds a text, so many at most.
pub async fn schools(desk: &Desk, query: &str, most: usize) -> Result<Vec<Choice>, Status> {
    let asked = ListSchoolsRequest { query: query.to_owned(), page_size: i32::try_from(most).unwrap_or(i32::MAX), ..Default::default() };
    let found: Vec<School> = desk.directory().list_schools(desk.request(asked)).await?.into_inner().schools;
    Ok(found.into_iter().map(|school| Choice { code: school.code, name: school.name }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        "2026-11-26".parse().expect("a date")
    }

    #[test]
    fn a_region_is_named_by_code_by_name_or_as_the_page_offers_it() {
        for typed in ["430102", "芙蓉区", " 长沙市芙蓉区 ", "430102 湖南省长沙市芙蓉区", "430102芙蓉区"] {
            assert_eq!(region(typed, today()), Ok("430102".to_owned()), "{typed}");
        }
        assert_eq!(region("430199", today()), Ok("430199".to_owned()), "a doubt is the service's");
        for (typed, told) in [("43010", "（5位数字）"), ("4301020", "（7位数字）"), ("430102 天心区", "芙蓉区"), ("鼓楼区", "320106"), ("芙蓉", "芙蓉")]
        {
            assert!(region(typed, today()).is_err_and(|why| why.contains(told)), "{typed}");
        }
        let offered = regions("430000", today());
        assert!(offered.contains(&Choice { code: "430102".into(), name: "湖南省长沙市芙蓉区".into() }) && offered.len() > 100);
        assert!(regions("", today()).iter().all(|choice| choice.code.ends_with("00")));
    }

    #[test]
    fn majors_are_taken_whole_and_nothing_that_was_typed_is_dropped() {
        let keys =
            |typed: &str| majors(typed, "").map(|found| found.into_iter().map(|major| format!("{}-{}", major.catalogue, major.code)).collect::<Vec<_>>());
        assert_eq!(keys("010200、护理，2021-610102\n酒店服务与管理").expect("are known"), ["2010-010200", "2010-100100", "2021-610102", "2010-130100"]);
        assert_eq!(keys(" "), Ok(Vec::new()));
        for (typed, told) in [("01020", "“01020”"), ("01020O", "“01020O”"), ("0102000", "“0102000”"), ("010200 考古", "考古"), ("2010-10200", "“2010-10200”")]
        {
            assert!(keys(typed).is_err_and(|why| why.contains(told)), "{typed}");
        }
    }
}
