//! What can be recorded of what a student signed. Pure.

use chrono::NaiveDate;
use xuezhu_domain::{Term, UnknownCode};
use xuezhu_judge::case::StatementKind;
use xuezhu_service::FieldErrors;

/// Students who are named at once, at most.
pub const NAMED: usize = 200;

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It holds.
    Stands,
    /// The student said the other later.
    Replaced,
    /// It was taken off.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Stands, Self::Replaced, Self::Withdrawn];
    /// The first code of the states in which it holds no more: an index and a view tell them by it.
    pub const FIRST_GONE: i32 = 50;

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Stands => 11,
            Self::Replaced => 51,
            Self::Withdrawn => 52,
        }
    }
}

/// Who signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The student.
    Student,
    /// A guardian.
    Guardian,
    /// Both.
    Both,
}

impl Signer {
    /// Each.
    pub const ALL: [Self; 3] = [Self::Student, Self::Guardian, Self::Both];

    /// As stored, and as clients are told.
    pub const fn code(self) -> i32 {
        match self {
            Self::Student => 1,
            Self::Guardian => 2,
            Self::Both => 3,
        }
    }
}

impl TryFrom<i32> for Signer {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|signer| signer.code() == code).ok_or(UnknownCode { of: "signer", code })
    }
}

/// Whether a day can be that of a signature for a term: not in the future, nor before the school year before.
pub fn check_day(errors: &mut FieldErrors, signed: NaiveDate, term: Term, today: NaiveDate) {
    let earliest = term.before().before().first_day();
    if signed > today {
        errors.add("signed_date", format!("不能晚于今天（{today}）"));
    } else if signed < earliest {
        errors.add("signed_date", format!("早于{earliest}：应是为该学期（或其上一学年）签的"));
    }
}

/// Age from which a student's own signature suffices for a waiver, in years.
const OF_AGE: u32 = 18;

/// Whether what was signed by a student alone needs a guardian: who is not of age gives nothing up alone.
pub fn needs_guardian(kind: StatementKind, signer: Signer, born: NaiveDate, day: NaiveDate) -> bool {
    kind == StatementKind::Waiver && signer == Signer::Student && day.years_since(born).is_none_or(|age| age < OF_AGE)
}

/// A waiver is each student's own word: nobody's class gives up anything.
pub fn check_named(errors: &mut FieldErrors, kind: StatementKind, named: usize) {
    if kind == StatementKind::Waiver && named == 0 {
        errors.add("persons", "自愿放弃须逐人登记，请选择学生");
    }
}

/// Whether so many can be named at once: said before anything is done with them.
pub fn check_count(errors: &mut FieldErrors, named: usize) {
    if named > NAMED {
        errors.add("persons", format!("一次至多{NAMED}人"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_its_time_and_a_waiver_of_its_student() {
        let (term, today): (Term, NaiveDate) = ("2026-AUTUMN".parse().expect("a term"), "2026-11-27".parse().expect("a date"));
        for (signed, sound) in [("2026-11-27", true), ("2026-11-28", false), ("2025-08-01", true), ("2025-07-31", false), ("2026-09-01", true)] {
            let mut errors = FieldErrors::default();
            check_day(&mut errors, signed.parse().expect("a date"), term, today);
            assert_eq!(errors.check().is_ok(), sound, "{signed}");
        }
        for (kind, named, sound) in [(StatementKind::Application, 0, true), (StatementKind::Waiver, 0, false), (StatementKind::Waiver, 1, true)] {
            let mut errors = FieldErrors::default();
            check_named(&mut errors, kind, named);
            assert_eq!(errors.check().is_ok(), sound, "{kind:?} {named}");
        }
        for (named, sound) in [(0, true), (NAMED, true), (NAMED + 1, false)] {
            let mut errors = FieldErrors::default();
            check_count(&mut errors, named);
            assert_eq!(errors.check().is_ok(), sound, "{named}");
        }
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (kind, signer, signed, needs) in [
            (StatementKind::Waiver, Signer::Student, "2026-11-26", true),
            (StatementKind::Waiver, Signer::Student, "2026-11-27", false),
            (StatementKind::Waiver, Signer::Both, "2026-11-26", false),
            (StatementKind::Waiver, Signer::Guardian, "2026-11-26", false),
            (StatementKind::Application, Signer::Student, "2026-11-26", false),
        ] {
            assert_eq!(needs_guardian(kind, signer, day("2008-11-27"), day(signed)), needs, "{kind:?} {signer:?} {signed}");
        }
        assert!(State::ALL.into_iter().all(|state| (state == State::Stands) == (state.code() < State::FIRST_GONE)));
    }
}
