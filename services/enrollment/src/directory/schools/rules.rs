//! What a school's states mean, and how what people type of it is found. Pure.

use chrono::NaiveDate;
use xuezhu_domain::majors::{self, Major};

/// Whether a school takes students.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// It is closed: nobody is entered any more; those who are there can still be read, moved and graduated.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Active, Self::Closed];

    /// As stored, and as the feed tells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Closed => "CLOSED",
        }
    }

    /// From what was stored.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A major of a school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Which.
    pub major: &'static Major,
    /// From when on nobody new is taken into it.
    pub ended: Option<NaiveDate>,
}

impl Offered {
    /// Why nobody is taken into it from a day on; none where somebody is.
    pub fn refusal(&self, from: NaiveDate) -> Option<String> {
        let ended = self.ended.filter(|ended| *ended <= from)?;
        Some(format!("本校专业“{}”自{ended}起停止招生", self.major.name))
    }
}

/// The major that somebody means: by catalogue and code or, where there is no code, by name, if that is one major's alone.
pub fn named_major(catalogue: &str, code: &str, name: &str) -> Result<&'static Major, String> {
    if !code.is_empty() || name.is_empty() {
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("专业代码应为6位数字，填的是“{code}”（{}位）", code.chars().count()));
        }
        return majors::major(catalogue, code).ok_or_else(|| format!("专业目录{catalogue}中没有代码{code}"));
    }
    match &majors::named(catalogue, name)[..] {
        [found] => Ok(found),
        [] => Err(format!("专业目录{catalogue}中没有专业“{name}”")),
        several => {
            let found: Vec<String> = several.iter().map(|major| format!("{}年目录的{}", major.catalogue, major.code)).collect();
            Err(format!("有几个专业叫“{name}”，请写明目录和代码：{}", found.join("、")))
        }
    }
}

/// Part of a name or a code as a LIKE pattern; empty for all.
pub fn pattern(query: &str) -> String {
    let query = query.trim();
    if query.is_empty() {
        return String::new();
    }
    let escaped: String = query.chars().flat_map(char::to_lowercase).flat_map(|c| matches!(c, '%' | '_' | '!').then_some('!').into_iter().chain([c])).collect();
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_text_and_no_pattern() {
        for (query, wanted) in [("", ""), ("  ", ""), (" 长沙 ", "%长沙%"), ("A_1%!", "%a!_1!%!!%")] {
            assert_eq!(pattern(query), wanted);
        }
    }

    #[test]
    fn an_ended_major_refuses_from_its_day_on() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let offered = Offered { major: majors::major("2010", "100100").expect("护理"), ended: Some(day("2026-09-01")) };
        assert_eq!(offered.refusal(day("2026-08-31")), None);
        assert!(offered.refusal(day("2026-09-01")).is_some_and(|why| why.contains("2026-09-01")));
        assert_eq!(Offered { ended: None, ..offered }.refusal(day("2026-09-01")), None);
    }

    #[test]
    fn a_major_is_named_whole_or_refused_with_what_was_typed() {
        assert_eq!(named_major("2010", "100100", "").map(|major| major.name), Ok("护理"));
        assert_eq!(named_major("2010", "", "酒店服务与管理").map(|major| major.code), Ok("130100"));
        for (code, name, told) in
            [("10010", "", "“10010”（5位）"), ("1001000", "", "（7位）"), ("999999", "", "999999"), ("", "考古", "考古"), ("", "", "（0位）")]
        {
            assert!(named_major("2010", code, name).is_err_and(|why| why.contains(told)), "{code}{name}");
        }
    }
}
