//! When a list of omissions is drawn up, and what causes there are. Pure.

use chrono::{Days, NaiveDate};
use xuezhu_domain::{UnknownCode, text::holds_long_number};
use xuezhu_judge::policy::TermDays;
use xuezhu_service::FieldErrors;

/// How many days before the lock a list can be drawn up, and is due.
const DAYS_BEFORE: u64 = 10;
/// Students whose cause is said at once, at most.
pub const ITEMS: usize = 1_000;

/// First day on which a term's list can be drawn up: ten days before the lock; where lists never lock, the day after they were due.
pub fn opens(days: &TermDays) -> NaiveDate {
    days.lock.map_or(days.due + Days::new(1), |lock| lock - Days::new(DAYS_BEFORE))
}

/// Where a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// With the clerk.
    Draft,
    /// With the principal.
    Submitted,
    /// Signed.
    Signed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Submitted, Self::Signed];
    /// The last code of the states in which one is under way: an index tells them by it.
    pub const LAST_UNDER_WAY: i32 = 10;

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Draft => 1,
            Self::Submitted => 2,
            Self::Signed => 11,
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of a list of omissions", code })
    }
}

/// Why somebody is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nobody said.
    Unsaid,
    /// They signed not to want it.
    Waived,
    /// They are put on a supplementary list.
    ToBeListed,
    /// What the roll says of them is wrong.
    RollToBeMended,
    /// They are not there.
    NotPresent,
    /// Nobody can be reached.
    NotReached,
    /// As the note says.
    Other,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 7] = [Self::Unsaid, Self::Waived, Self::ToBeListed, Self::RollToBeMended, Self::NotPresent, Self::NotReached, Self::Other];

    /// As stored, and as clients are told.
    pub const fn code(self) -> i32 {
        match self {
            Self::Unsaid => 0,
            Self::Waived => 1,
            Self::ToBeListed => 2,
            Self::RollToBeMended => 3,
            Self::NotPresent => 4,
            Self::NotReached => 5,
            Self::Other => 6,
        }
    }

    /// What people read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsaid => "未填",
            Self::Waived => "自愿放弃",
            Self::ToBeListed => "补报",
            Self::RollToBeMended => "学籍信息待更正",
            Self::NotPresent => "实际不在校",
            Self::NotReached => "联系不上",
            Self::Other => "其他",
        }
    }

    /// Whether a clerk may say it: that somebody gave it up is said by what they signed, and by nobody else.
    pub fn is_said(self) -> bool {
        !matches!(self, Self::Unsaid | Self::Waived)
    }
}

impl TryFrom<i32> for Cause {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|cause| cause.code() == code).ok_or(UnknownCode { of: "cause of an omission", code })
    }
}

/// What is wrong with a cause that a clerk says.
pub fn check(errors: &mut FieldErrors, cause: Option<Cause>, note: &str) {
    match cause {
        Some(Cause::Waived) => errors.add("cause", "自愿放弃以学生签名的声明为准：请先在“申请与放弃”登记，再重新生成清单"),
        Some(cause) if cause.is_said() => {}
        _ => errors.add("cause", "请选择原因"),
    }
    if cause == Some(Cause::Other) && note.trim().is_empty() {
        errors.add("note", "选择“其他”的，请写明原因");
    }
    if holds_long_number(note) {
        errors.add("note", "不要写证件号或电话号码");
    }
}

/// Whether so many can be named at once.
pub fn check_count(errors: &mut FieldErrors, items: usize) {
    if !(1..=ITEMS).contains(&items) {
        errors.add("items", format!("请选择1至{ITEMS}名学生"));
    }
}

#[cfg(test)]
mod tests {
    use xuezhu_judge::policy::Stop;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn it_opens_ten_days_before_the_lock_or_when_lists_were_due() {
        let days = |lock: Option<&str>| TermDays {
            term: "2026-AUTUMN".parse().expect("a term"),
            months: Vec::new(),
            count_day: day("2026-09-30"),
            due: day("2026-11-30"),
            lock: lock.map(day),
            stop: Stop::NextMonth,
        };
        assert_eq!(opens(&days(Some("2027-01-31"))), day("2027-01-21"));
        assert_eq!(opens(&days(None)), day("2026-12-01"));
    }

    #[test]
    fn a_clerk_says_a_cause_and_gives_nothing_up_for_anybody() {
        for (cause, note, sound) in [
            (Some(Cause::ToBeListed), "", true),
            (Some(Cause::Other), "转入外省，材料在途", true),
            (Some(Cause::Other), " ", false),
            (Some(Cause::NotReached), "电话13800138000无人接听", false),
            (Some(Cause::Waived), "", false),
            (Some(Cause::Unsaid), "", false),
            (None, "", false),
        ] {
            let mut errors = FieldErrors::default();
            check(&mut errors, cause, note);
            assert_eq!(errors.check().is_ok(), sound, "{cause:?} {note}");
        }
        for (items, sound) in [(0, false), (1, true), (ITEMS, true), (ITEMS + 1, false)] {
            let mut errors = FieldErrors::default();
            check_count(&mut errors, items);
            assert_eq!(errors.check().is_ok(), sound, "{items}");
        }
        assert!(State::ALL.into_iter().all(|state| (state == State::Signed) == (state.code() > State::LAST_UNDER_WAY)));
    }
}
