//! How long a notice runs, and what an objection does. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use xuezhu_domain::{UnknownCode, calendar::add_working_days, text::clean};
use xuezhu_judge::policy::file::NoticeOrder;
use xuezhu_service::FieldErrors;

/// Characters of an objection, of an answer, of a decision, at most.
pub const TEXT: usize = 500;
/// Characters of who objects, and of their telephone, at most.
const WHO: usize = 40;

/// Working days that a school has to answer an objection before it may be found right without an answer.
const ANSWER_DAYS: u32 = 3;

/// From which day an objection may be found right that the school does not answer.
pub fn heard_until(filed: NaiveDate) -> NaiveDate {
    add_working_days(filed, ANSWER_DAYS)
}

/// Where a notice lies on a list's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the principal signs.
    BeforeSignature,
    /// After the department approved, before it is paid.
    AfterAudit,
}

impl Stage {
    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::BeforeSignature => 1,
            Self::AfterAudit => 2,
        }
    }
}

impl From<NoticeOrder> for Stage {
    fn from(order: NoticeOrder) -> Self {
        match order {
            NoticeOrder::BeforeSignature => Self::BeforeSignature,
            NoticeOrder::AfterAudit => Self::AfterAudit,
        }
    }
}

impl TryFrom<i32> for Stage {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        [Self::BeforeSignature, Self::AfterAudit].into_iter().find(|stage| stage.code() == code).ok_or(UnknownCode { of: "stage of a notice", code })
    }
}

/// Where an objection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The school is to answer.
    Open,
    /// The department is to decide.
    Answered,
    /// It is right.
    Upheld,
    /// Nothing is wrong.
    Dismissed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Answered, Self::Upheld, Self::Dismissed];
    /// The first code of the states in which it is decided.
    pub const FIRST_DECIDED: i32 = 10;
    /// The first code of the states in which it stands in nobody's way.
    pub const FIRST_HARMLESS: i32 = 50;

    /// As stored: queries tell by the code what stands in the way.
    pub const fn code(self) -> i32 {
        match self {
            Self::Open => 1,
            Self::Answered => 2,
            Self::Upheld => 11,
            Self::Dismissed => 51,
        }
    }

    /// Whether it was decided.
    pub fn is_decided(self) -> bool {
        self.code() >= Self::FIRST_DECIDED
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of an objection", code })
    }
}

/// The last day of a notice that was opened on a day: so many whole working days come after it.
pub fn last_day(opened: NaiveDate, working_days: u32) -> NaiveDate {
    add_working_days(opened, working_days)
}

/// Who objects, as it is sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Objector {
    /// Name.
    pub name: String,
    /// Telephone.
    pub telephone: String,
}

impl Objector {
    /// Checked.
    pub fn of(errors: &mut FieldErrors, name: &str, telephone: &str) -> Self {
        let objector = Self { name: clean(name), telephone: clean(telephone) };
        for (field, text) in [("objector", &objector.name), ("telephone", &objector.telephone)] {
            if text.chars().count() > WHO {
                errors.add(field, format!("不能超过{WHO}个字"));
            }
        }
        objector
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_runs_for_whole_working_days_after_it_was_opened() {
        // The week of the National Day is no working week, the Saturday after it is a working day.
        for (opened, last) in [("2026-11-02", "2026-11-09"), ("2026-11-06", "2026-11-13"), ("2026-11-07", "2026-11-13"), ("2026-09-30", "2026-10-13")] {
            assert_eq!(last_day(opened.parse().expect("a date"), 5).to_string(), last, "{opened}");
        }
    }

    #[test]
    fn states_are_their_codes() {
        for state in State::ALL {
            assert_eq!(State::try_from(state.code()), Ok(state));
            assert_eq!(state.code() >= State::FIRST_HARMLESS, state == State::Dismissed);
            assert_eq!(state.is_decided(), matches!(state, State::Upheld | State::Dismissed));
        }
    }
}
