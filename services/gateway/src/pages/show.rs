//! How values look on pages: money, months, days, states.

use chrono::{DateTime, FixedOffset};
use xuezhu_domain::{Fen, text::comparable_name};

/// Fen as yuan with thousands separators.
pub fn yuan(fen: &i64) -> String {
    let text = Fen(*fen).yuan();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let digits: Vec<char> = whole.chars().collect();
    let mut grouped = String::new();
    for (index, digit) in digits.iter().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && *digit != '-' && grouped != "-" {
            grouped.push(',');
        }
        grouped.push(*digit);
    }
    format!("{grouped}.{cents}")
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

/// A scheme in Chinese.
pub fn scheme(code: &i32) -> &'static str {
    match code {
        1 => "国家助学金",
        2 => "免学费",
        _ => "",
    }
}

/// States of all records in Chinese, by their stable spelling.
pub fn state(state: &str) -> &'static str {
    match state {
        "DRAFT" => "草稿",
        "SUBMITTED" => "待校长签核",
        "ATTESTED" => "待主管部门审核",
        "SENT_BACK" => "已退回",
        "IN_SCHOOL" => "在读",
        "ON_LEAVE" => "休学",
        "WITHDRAWN" => "退学",
        "NEVER_CAME" => "未报到注销",
        "APPROVED" => "已审核",
        "DONE" => "已办结",
        "OPEN" => "待学校说明",
        "EXPLAINED" => "待主管部门核定",
        "CONFIRMED" => "已认定问题",
        "CLEARED" => "已排除",
        "CLOSED" => "已自动关闭",
        _ => "",
    }
}

/// Steps of a flag's life in Chinese.
pub fn act(act: &str) -> &'static str {
    match act {
        "OPENED" => "发现疑点",
        "EVIDENCE_CHANGED" => "依据有变化",
        "EXPLAINED" => "学校说明",
        "CONFIRMED" => "认定为问题",
        "CLEARED" => "排除",
        "CLOSED" => "对不上的地方已消失，自动关闭",
        "REOPENED" => "再次出现，重新打开",
        "REMEMBERED" => "依据与原先排除的相同，仍按排除处理",
        _ => "",
    }
}

/// States of confirmed cases in Chinese.
pub fn case_state(state: &str) -> &'static str {
    match state {
        "STANDING" => "已认定",
        "FOUND_AGAIN" => "再次出现，待核定",
        "MENDED" => "已认定，数据已改正",
        "WITHDRAWN" => "已撤销认定",
        _ => "",
    }
}

/// Steps of a confirmed case in Chinese.
pub fn case_act(act: &str) -> &'static str {
    match act {
        "ENTERED" => "认定为问题，列入台账",
        "CONFIRMED_AGAIN" => "再次认定",
        "EVIDENCE_CHANGED" => "依据有变化",
        "MENDED" => "数据已改正，疑点自动关闭",
        "FOUND_AGAIN" => "再次出现",
        "NOT_AGAIN" => "再次出现的经核定排除，原认定不变",
        "WITHDRAWN" => "撤销认定",
        "ADDED" => "学校说明",
        "OUTCOME" => "登记处理结果",
        _ => "",
    }
}

/// What became of the money, in Chinese.
pub fn outcome(outcome: &str) -> &'static str {
    match outcome {
        "NOT_PAID" => "未发放",
        "STOPPED" => "已停发",
        "TO_RECOVER" => "待追回",
        "RECOVERED" => "已追回",
        "OTHER" => "其他",
        _ => "未登记",
    }
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
    match rule {
        "NO_ENROLLMENT" => "无学籍",
        "NOT_YET_REGISTERED" => "学籍待审",
        "NOT_VALID_IN_TERM" => "当月不在读",
        "OTHER_SCHOOL" => "在他校就读",
        "IDENTITY_MISMATCH" => "身份信息不符",
        "IDENTITY_UNVERIFIED" => "人口库未核实",
        "DUPLICATE_AWARD" => "重复资助",
        "MISSING_AWARD" => "应助未助",
        _ => "",
    }
}

/// What a registry said, in Chinese.
pub fn registry(answer: &str) -> &'static str {
    match answer {
        "NOT_ASKED" => "未接入人口库",
        "CONFIRMED" => "人口库已核实",
        "NOT_FOUND" => "人口库查无此号",
        "DIFFERS" => "姓名与人口库不一致",
        _ => "",
    }
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
