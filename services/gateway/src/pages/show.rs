//! How values look on pages: money, months, days, states.

use chrono::{DateTime, FixedOffset};
use xuezhu_domain::{Fen, RegistryAnswer, enrollment, text::comparable_name};
use xuezhu_judge::{case::Rule, entry, life, register, rules::law};
use xuezhu_proto::common::Dossier;

/// Fen as yuan with thousands separators.
pub fn yuan(fen: &i64) -> String {
    let text = Fen(*fen).yuan();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    format!("{}.{cents}", with_separators(whole))
}

/// A number with thousands separators.
pub fn grouped(number: i64) -> String {
    with_separators(&number.to_string())
}

fn with_separators(whole: &str) -> String {
    let digits: Vec<char> = whole.chars().collect();
    let mut grouped = String::new();
    for (index, digit) in digits.iter().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && *digit != '-' && grouped != "-" {
            grouped.push(',');
        }
        grouped.push(*digit);
    }
    grouped
}

/// Months in short: `2016年9–12月、2017年1月`.
pub fn months(months: &[i32]) -> String {
    let mut parts: Vec<(i32, i32, i32)> = Vec::new();
    for month in months {
        let (year, number) = (month / 100, month % 100);
        match parts.last_mut() {
            Some((last_year, _, last)) if *last_year == year && *last + 1 == number => *last = number,
            _ => parts.push((year, number, number)),
        }
    }
    parts.iter().map(|(year, from, to)| if from == to { format!("{year}年{from}月") } else { format!("{year}年{from}–{to}月") }).collect::<Vec<_>>().join("、")
}

/// A month whole: 2026年9月; nothing where it is none.
pub fn whole_month(month: i32) -> String {
    if month == 0 { String::new() } else { months(&[month]) }
}

/// A month in short: 9月.
pub fn month(month: &i32) -> String {
    format!("{}月", month % 100)
}

fn local(rfc3339: &str) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::parse_from_rfc3339(rfc3339).ok()?.with_timezone(&FixedOffset::east_opt(8 * 3600)?))
}

/// An instant as people read it: 2016-09-01 14:03.
pub fn time(rfc3339: &str) -> String {
    local(rfc3339).map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// The day of an instant: 2016-09-01.
pub fn day(rfc3339: &str) -> String {
    local(rfc3339).map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// The time of day: 14:03:22.
pub fn clock(rfc3339: &str) -> String {
    local(rfc3339).map(|at| at.format("%H:%M:%S").to_string()).unwrap_or_default()
}

/// A term in Chinese.
pub fn term(term: &str) -> String {
    term.parse::<xuezhu_domain::Term>().map_or_else(|_| term.to_owned(), xuezhu_domain::Term::name)
}

/// States of all records in Chinese, by their stable spelling: the words are those of their types.
pub fn state(state: &str) -> &'static str {
    let submission = || (state == "DONE").then_some("已办结");
    let student = || enrollment::State::parse(state).map(enrollment::State::name);
    let entry = || entry::State::parse(state).map(entry::State::name);
    let flag = || life::State::parse(state).map(life::State::name);
    student().or_else(entry).or_else(flag).or_else(submission).unwrap_or_default()
}

/// States of students that one may ask for: spelling and Chinese.
pub fn student_states() -> Vec<(&'static str, &'static str)> {
    enrollment::State::ALL.into_iter().map(|state| (state.as_str(), state.name())).collect()
}

/// States of flags that one may ask for: spelling and Chinese.
pub fn flag_states() -> Vec<(&'static str, &'static str)> {
    life::State::ALL.into_iter().map(|state| (state.as_str(), state.name())).collect()
}

/// States of dossiers in Chinese.
pub fn dossier_state(state: &str) -> &'static str {
    match state {
        "UNDER_WAY" => "在办",
        "DONE" => "已办结",
        "RETURNED" => "已退回",
        "RECALLED" => "已撤回",
        _ => "",
    }
}

/// States of a line of a dossier's sheet in Chinese.
pub fn dossier_item_state(state: &str) -> &'static str {
    match state {
        "WAITING" => "待办",
        "PERFORMED" => "已通过",
        "SENT_BACK" => "已退回",
        "REFUSED" => "不予通过",
        "RECALLED" => "已撤回",
        _ => "",
    }
}

/// What was done with a dossier, in Chinese.
pub fn dossier_act(act: &str) -> &'static str {
    match act {
        "SUBMIT" => "提交",
        "ORDER" => "责令办理",
        "SIGN" => "审签",
        "SEND_BACK" => "退回",
        "REFUSE" => "不予通过",
        "RECALL" => "撤回",
        "NOTE" => "备案",
        "HAND_OVER" => "移交经办",
        "NUDGE" => "催办",
        _ => "",
    }
}

/// For whom a dossier waits, in Chinese; empty where it waits for nobody.
pub fn waits(dossier: &Dossier) -> String {
    if dossier.waits_at.is_empty() {
        return String::new();
    }
    // What was performed already waits to be noted.
    let does = if dossier.waiting == 0 { "备案" } else { "审签" };
    format!("待{}{does}", dossier.waits_at)
}

/// Steps of a flag's life in Chinese.
pub fn act(act: &str) -> &'static str {
    life::Step::parse(act).map(life::Step::name).unwrap_or_default()
}

/// States of confirmed cases in Chinese.
pub fn case_state(state: &str) -> &'static str {
    register::State::parse(state).map(register::State::name).unwrap_or_default()
}

/// Steps of a confirmed case in Chinese.
pub fn case_act(act: &str) -> &'static str {
    register::Step::parse(act).map(register::Step::name).unwrap_or_default()
}

/// What became of the money, in Chinese.
pub fn outcome(outcome: &str) -> &'static str {
    register::Outcome::parse(outcome).map_or("未登记", register::Outcome::name)
}

/// Whom a group of flags is about, by the name of one of them.
pub fn whom(name: &str, count: i32) -> String {
    match (name, count) {
        ("", _) => format!("{count}条"),
        (name, 0 | 1) => name.to_owned(),
        (name, count) => format!("{name}等{count}条"),
    }
}

/// A rule in Chinese.
pub fn rule(rule: &str) -> &'static str {
    Rule::parse(rule).map(|rule| law(rule).name).unwrap_or_default()
}

/// What a registry said, in Chinese.
pub fn registry(answer: &str) -> &'static str {
    RegistryAnswer::parse(answer).map(RegistryAnswer::name).unwrap_or_default()
}

/// The characters of a name, each with whether it is what differs from another: what both begin and end with is not,
/// nor are blanks and the ways to write a dot.
pub fn differing(name: &str, other: &str) -> Vec<(char, bool)> {
    let chars: Vec<(char, String)> = name.chars().map(|c| (c, comparable_name(&c.to_string()))).collect();
    let own: Vec<&str> = chars.iter().filter(|(_, plain)| !plain.is_empty()).map(|(_, plain)| plain.as_str()).collect();
    let other: Vec<String> = other.chars().map(|c| comparable_name(&c.to_string())).filter(|plain| !plain.is_empty()).collect();
    let shorter = own.len().min(other.len());
    let head = own.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let tail = own.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count().min(shorter - head);
    let differs = head..own.len() - tail;
    let mut place = 0;
    chars
        .iter()
        .map(|(c, plain)| {
            let counts = !plain.is_empty();
            let marked = counts && differs.contains(&place);
            place += usize::from(counts);
            (*c, marked)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(yuan(&123_456_789), "1,234,567.89");
        assert_eq!(yuan(&100), "1.00");
        assert_eq!(months(&[201_609, 201_610, 201_612, 201_701]), "2016年9–10月、2016年12月、2017年1月");
        assert_eq!(clock("2016-09-01T06:03:22Z"), "14:03:22");
        assert_eq!(term("2016-AUTUMN"), "2016年秋季学期");
        let marked = |name: &str, other: &str| differing(name, other).into_iter().filter(|(_, differs)| *differs).map(|(c, _)| c).collect::<String>();
        assert_eq!(marked("陈莉", "陈丽"), "莉");
        assert_eq!(marked("王　小伟", "王伟"), "小");
        assert_eq!(marked("王伟", "王小伟"), "");
        assert_eq!(marked("买买提•艾力", "买买提·艾尼"), "力");
        assert_eq!(marked("李鬼", "王伟"), "李鬼");
    }
}
