//! Where a run of the full sweep stands.

use xuezhu_domain::UnknownCode;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Under way.
    Running,
    /// Everybody was judged.
    Done,
    /// Broken off, or not all could be judged.
    Failed,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Failed];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Running => 1,
            Self::Done => 51,
            Self::Failed => 52,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }
}

impl TryFrom<i32> for RunState {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of a run", code })
    }
}
