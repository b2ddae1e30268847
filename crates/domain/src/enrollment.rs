//! States of an enrollment, what changes them, and the dated timeline that a student's story is.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Where an enrollment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Entered by the clerk.
    Draft,
    /// Handed to the principal.
    Submitted,
    /// Attested by the principal, lies with the department.
    Attested,
    /// Sent back with a reason.
    SentBack,
    /// Approved, in school.
    InSchool,
    /// On leave.
    OnLeave,
    /// Gone by own wish.
    Withdrawn,
    /// Was approved and never came (新生未报到注销): no day of it counts.
    NeverCame,
}

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table of yes and no")]
pub struct Meaning {
    /// The student holds the one valid place that a person can have.
    pub occupies: bool,
    /// Aid may follow the student.
    pub entitles: bool,
    /// Nothing comes after it: who comes back, comes back by a new entry.
    pub is_final: bool,
    /// The student counts in the school's roll (在籍).
    pub counts: bool,
}

/// No state before approval means anything to anybody else.
const CLAIMED: Meaning = Meaning { occupies: false, entitles: false, is_final: false, counts: false };
const ENDED: Meaning = Meaning { is_final: true, ..CLAIMED };

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [Self::Draft, Self::Submitted, Self::Attested, Self::SentBack, Self::InSchool, Self::OnLeave, Self::Withdrawn, Self::NeverCame];

    /// The first code of the final states: indexes tell them by it.
    pub const FIRST_FINAL: i32 = 50;

    /// The last code of the states before approval.
    pub const LAST_CLAIMED: i32 = 10;

    /// What it means.
    pub const fn meaning(self) -> Meaning {
        match self {
            Self::Draft | Self::Submitted | Self::Attested | Self::SentBack => CLAIMED,
            Self::InSchool => Meaning { occupies: true, entitles: true, is_final: false, counts: true },
            Self::OnLeave => Meaning { occupies: true, entitles: false, is_final: false, counts: true },
            Self::Withdrawn | Self::NeverCame => ENDED,
        }
    }

    /// As stored: those before approval up to [`State::LAST_CLAIMED`], final ones from [`State::FIRST_FINAL`] on.
    pub const fn code(self) -> i32 {
        match self {
            Self::Draft => 1,
            Self::Submitted => 2,
            Self::Attested => 3,
            Self::SentBack => 4,
            Self::InSchool => 11,
            Self::OnLeave => 12,
            Self::Withdrawn => 51,
            Self::NeverCame => 52,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Attested => "ATTESTED",
            Self::SentBack => "SENT_BACK",
            Self::InSchool => "IN_SCHOOL",
            Self::OnLeave => "ON_LEAVE",
            Self::Withdrawn => "WITHDRAWN",
            Self::NeverCame => "NEVER_CAME",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "草稿",
            Self::Submitted => "待校长签核",
            Self::Attested => "待主管部门审核",
            Self::SentBack => "已退回",
            Self::InSchool => "在读",
            Self::OnLeave => "休学",
            Self::Withdrawn => "退学",
            Self::NeverCame => "未报到注销",
        }
    }

    /// Whether the clerk may still edit it.
    pub fn is_editable(self) -> bool {
        after(self, Change::Edit).is_some()
    }

    /// Whether the department approved it once: then it is dated.
    pub fn is_approved(self) -> bool {
        self.dated().is_some()
    }

    /// What it is in a dated story; `None` before approval.
    pub fn dated(self) -> Option<PeriodState> {
        match self {
            Self::Draft | Self::Submitted | Self::Attested | Self::SentBack => None,
            Self::InSchool => Some(PeriodState::InSchool),
            Self::OnLeave => Some(PeriodState::OnLeave),
            Self::Withdrawn => Some(PeriodState::Withdrawn),
            Self::NeverCame => Some(PeriodState::NeverCame),
        }
    }
}

/// What can happen to an enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The clerk submits (提交).
    Submit,
    /// The principal attests (签核).
    Attest,
    /// The department approves (审核通过).
    Approve,
    /// Principal or department send back (退回).
    SendBack,
    /// The clerk edits (修改).
    Edit,
    /// 休学, status change 11.
    TakeLeave,
    /// 复学, status change 12.
    Return,
    /// 退学, status change 31.
    Withdraw,
    /// 新生未报到注销.
    NeverCome,
    /// 调班.
    ChangeClass,
    /// 转专业, status change 22.
    ChangeMajor,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 11] = [
        Self::Submit,
        Self::Attest,
        Self::Approve,
        Self::SendBack,
        Self::Edit,
        Self::TakeLeave,
        Self::Return,
        Self::Withdraw,
        Self::NeverCome,
        Self::ChangeClass,
        Self::ChangeMajor,
    ];

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "提交",
            Self::Attest => "签核",
            Self::Approve => "审核",
            Self::SendBack => "退回",
            Self::Edit => "修改",
            Self::TakeLeave => "休学",
            Self::Return => "复学",
            Self::Withdraw => "退学",
            Self::NeverCome => "未报到注销",
            Self::ChangeClass => "调班",
            Self::ChangeMajor => "转专业",
        }
    }
}

/// What a change makes of a state. `None`: it is not allowed from here.
///
/// Order clerk → principal → department: 教职成厅函〔2016〕14号 and rule RG-14; leave, return, withdrawal, class and major:
/// 教职成〔2010〕7号 chapter 4. Final states are final: who comes back, comes back by a new entry.
pub fn after(state: State, change: Change) -> Option<State> {
    use {Change as C, State as S};
    match (state, change) {
        (S::Draft | S::SentBack, C::Submit) => Some(S::Submitted),
        (S::Draft | S::SentBack, C::Edit) => Some(S::Draft),
        (S::Submitted, C::Attest) => Some(S::Attested),
        (S::Submitted | S::Attested, C::SendBack) => Some(S::SentBack),
        (S::Attested, C::Approve) | (S::OnLeave, C::Return) | (S::InSchool, C::ChangeClass | C::ChangeMajor) => Some(S::InSchool),
        (S::InSchool, C::TakeLeave) => Some(S::OnLeave),
        (S::InSchool | S::OnLeave, C::Withdraw) => Some(S::Withdrawn),
        (S::InSchool, C::NeverCome) => Some(S::NeverCame),
        (
            S::Draft | S::SentBack,
            C::Attest | C::Approve | C::SendBack | C::TakeLeave | C::Return | C::Withdraw | C::NeverCome | C::ChangeClass | C::ChangeMajor,
        )
        | (S::Submitted, C::Submit | C::Approve | C::Edit | C::TakeLeave | C::Return | C::Withdraw | C::NeverCome | C::ChangeClass | C::ChangeMajor)
        | (S::Attested, C::Submit | C::Attest | C::Edit | C::TakeLeave | C::Return | C::Withdraw | C::NeverCome | C::ChangeClass | C::ChangeMajor)
        | (S::InSchool, C::Submit | C::Attest | C::Approve | C::SendBack | C::Edit | C::Return)
        | (S::OnLeave, C::Submit | C::Attest | C::Approve | C::SendBack | C::Edit | C::TakeLeave | C::NeverCome | C::ChangeClass | C::ChangeMajor)
        | (S::Withdrawn | S::NeverCame, _) => None,
    }
}

/// What the student is in a part of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PeriodState {
    /// In school.
    InSchool,
    /// On leave.
    OnLeave,
    /// Gone.
    Withdrawn,
    /// Never came.
    NeverCame,
    /// A state that only a newer source knows: it entitles to nothing.
    Unknown,
}

impl PeriodState {
    /// As the feed tells it and the mirror stores it.
    pub fn code(self) -> i32 {
        match self {
            Self::InSchool => 1,
            Self::OnLeave => 2,
            Self::Withdrawn => 3,
            Self::NeverCame => 4,
            Self::Unknown => 0,
        }
    }

    /// From what was stored, or told by a source that may know more.
    pub fn from_code(code: i32) -> Self {
        match code {
            1 => Self::InSchool,
            2 => Self::OnLeave,
            3 => Self::Withdrawn,
            4 => Self::NeverCame,
            _ => Self::Unknown,
        }
    }

    /// Stable spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSchool => "IN_SCHOOL",
            Self::OnLeave => "ON_LEAVE",
            Self::Withdrawn => "WITHDRAWN",
            Self::NeverCame => "NEVER_CAME",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// From that; unknown where it is none.
    pub fn parse(text: &str) -> Self {
        [Self::InSchool, Self::OnLeave, Self::Withdrawn, Self::NeverCame].into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Unknown)
    }
}

/// A part of a timeline: `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span<T> {
    /// First day.
    pub from: NaiveDate,
    /// First day after it; `None` while it lasts.
    pub to: Option<NaiveDate>,
    /// What holds in it.
    pub state: T,
}

impl<T> Span<T> {
    /// Whether a day lies in it.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

/// Why a dated change was refused (rule ST-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not after the last change.
    #[error("生效日期必须晚于上一次变动（或入学）的日期 {0}")]
    NotAfterLast(NaiveDate),
    /// After the end of the school year.
    #[error("生效日期不能晚于本学年末 {0}")]
    BeyondSchoolYear(NaiveDate),
}

/// Checks the first day of a new state against the last change and the school year of `today`.
pub fn check_effective(last_change: NaiveDate, effective: NaiveDate, today: NaiveDate) -> Result<(), DateError> {
    let horizon = crate::calendar::school_year_end(today);
    if effective <= last_change {
        Err(DateError::NotAfterLast(last_change))
    } else if effective > horizon {
        Err(DateError::BeyondSchoolYear(horizon))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_change_is_decided() {
        let allowed: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|state| Change::ALL.into_iter().filter_map(move |change| after(state, change).map(|next| (state, change, next))))
            .collect();
        use {Change::*, State::*};
        assert_eq!(
            allowed,
            vec![
                (Draft, Submit, Submitted),
                (Draft, Edit, Draft),
                (Submitted, Attest, Attested),
                (Submitted, SendBack, SentBack),
                (Attested, Approve, InSchool),
                (Attested, SendBack, SentBack),
                (SentBack, Submit, Submitted),
                (SentBack, Edit, Draft),
                (InSchool, TakeLeave, OnLeave),
                (InSchool, Withdraw, Withdrawn),
                (InSchool, NeverCome, NeverCame),
                (InSchool, ChangeClass, InSchool),
                (InSchool, ChangeMajor, InSchool),
                (OnLeave, Return, InSchool),
                (OnLeave, Withdraw, Withdrawn),
            ]
        );
    }

    #[test]
    fn a_state_is_its_code_and_final_ones_come_last() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
            let meaning = state.meaning();
            assert_eq!(meaning.is_final, state.code() >= State::FIRST_FINAL, "{state:?}");
            assert_eq!(state.is_approved(), state.code() > State::LAST_CLAIMED, "{state:?}");
            assert_eq!(meaning.occupies, (State::LAST_CLAIMED + 1..State::FIRST_FINAL).contains(&state.code()), "{state:?}");
            assert_eq!(meaning.is_final, Change::ALL.into_iter().all(|change| after(state, change).is_none()), "{state:?}");
            assert!(!meaning.entitles || meaning.occupies, "{state:?}: who is paid for has the place");
            assert_eq!(meaning.occupies, meaning.counts, "{state:?}");
        }
        assert_eq!(State::from_code(0), None);
    }

    #[test]
    fn effective_dates_are_checked_at_both_limits() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let (entry, today) = (day("2016-09-01"), day("2016-11-10"));
        for (effective, verdict) in [
            ("2016-09-01", Err(DateError::NotAfterLast(entry))),
            ("2016-09-02", Ok(())),
            ("2017-07-31", Ok(())),
            ("2017-08-01", Err(DateError::BeyondSchoolYear(day("2017-07-31")))),
        ] {
            assert_eq!(check_effective(entry, day(effective), today), verdict, "{effective}");
        }
    }
}
