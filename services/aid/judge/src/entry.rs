//! Where an entry of a list stands, and what that means: for the judge, and for whoever lists, holds or tells entries. What may happen to one
//! is the lists' own.

use xuezhu_domain::UnknownCode;

use crate::case::ClaimStage;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// With the clerk.
    Draft,
    /// With the principal.
    Submitted,
    /// With the department.
    Attested,
    /// Approved.
    Approved,
    /// Sent back with a reason.
    SentBack,
    /// Taken off the list.
    Removed,
}

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is the clerk's: to edit, to submit, to take off.
    Clerks,
    /// It stands on a list that was submitted: the digest covers it, and who has it is not missing.
    Submitted,
    /// It was taken off.
    Removed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Draft, Self::Submitted, Self::Attested, Self::Approved, Self::SentBack, Self::Removed];

    /// The last code of the states in which an entry is the clerk's: queries tell them by it.
    pub const LAST_CLERKS: i32 = 10;

    /// The first code of the removed states: queries and indexes tell them by it.
    pub const FIRST_REMOVED: i32 = 50;

    /// What it means.
    pub const fn meaning(self) -> Meaning {
        match self {
            Self::Draft | Self::SentBack => Meaning::Clerks,
            Self::Submitted | Self::Attested | Self::Approved => Meaning::Submitted,
            Self::Removed => Meaning::Removed,
        }
    }

    /// As stored: those of the clerk up to [`State::LAST_CLERKS`], removed ones from [`State::FIRST_REMOVED`] on.
    pub const fn code(self) -> i32 {
        match self {
            Self::Draft => 1,
            Self::SentBack => 2,
            Self::Submitted => 11,
            Self::Attested => 12,
            Self::Approved => 13,
            Self::Removed => 51,
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
            Self::Approved => "APPROVED",
            Self::SentBack => "SENT_BACK",
            Self::Removed => "REMOVED",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What the judge makes of it; none of what was taken off.
    pub const fn claim(self) -> Option<ClaimStage> {
        match self {
            Self::Draft => Some(ClaimStage::Draft),
            Self::SentBack => Some(ClaimStage::SentBack),
            Self::Submitted | Self::Attested | Self::Approved => Some(ClaimStage::Submitted),
            Self::Removed => None,
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "草稿",
            Self::Submitted => "待校长签核",
            Self::Attested => "待主管部门审核",
            Self::Approved => "已审核",
            Self::SentBack => "已退回",
            Self::Removed => "已移除",
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "state of an entry", code })
    }
}
