//! A flag's life: open → explained → confirmed or cleared; it closes by itself when the data are mended.

use serde::{Deserialize, Serialize};

/// Where a flag stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Found, waits for the school.
    Open,
    /// Explained, waits for the department.
    Explained,
    /// A fault.
    Confirmed,
    /// No fault, for this evidence.
    Cleared,
    /// Mended.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Explained, Self::Confirmed, Self::Cleared, Self::Closed];

    /// As stored and as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Explained => "EXPLAINED",
            Self::Confirmed => "CONFIRMED",
            Self::Cleared => "CLEARED",
            Self::Closed => "CLOSED",
        }
    }

    /// From what was stored.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "待说明",
            Self::Explained => "待核定",
            Self::Confirmed => "已认定问题",
            Self::Cleared => "已排除",
            Self::Closed => "已自动关闭",
        }
    }

    /// Whether the money waits.
    pub fn holds(self) -> bool {
        matches!(self, Self::Open | Self::Explained | Self::Confirmed)
    }
}

/// What somebody does to a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The school explains.
    Explain,
    /// The department confirms the fault.
    Confirm,
    /// The department finds no fault.
    Clear,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 3] = [Self::Explain, Self::Confirm, Self::Clear];

    /// As it stands in the flag's life.
    pub fn step(self) -> &'static str {
        match self {
            Self::Explain => "EXPLAINED",
            Self::Confirm => "CONFIRMED",
            Self::Clear => "CLEARED",
        }
    }
}

/// What an act makes of a state; `None` where it is not allowed. The department may decide without an explanation, and
/// may change its mind; a school may explain again what was confirmed.
pub fn after(state: State, act: Act) -> Option<State> {
    match (state, act) {
        (State::Open | State::Explained | State::Confirmed, Act::Explain) => Some(State::Explained),
        (State::Open | State::Explained | State::Cleared, Act::Confirm) => Some(State::Confirmed),
        (State::Open | State::Explained | State::Confirmed, Act::Clear) => Some(State::Cleared),
        (State::Cleared | State::Closed, Act::Explain | Act::Clear) | (State::Confirmed | State::Closed, Act::Confirm) => None,
    }
}

/// What the judge found about a flag that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The finding, on the same evidence.
    Same,
    /// The finding, on other evidence.
    Changed,
    /// No finding any more.
    Gone,
}

/// What a judgement makes of a state, and the step that is noted; `None` where nothing happens. "No fault" is remembered
/// for its evidence, not for ever; an explanation too.
pub fn judged(state: State, found: Found) -> Option<(State, &'static str)> {
    match (state, found) {
        (State::Closed, Found::Gone) | (State::Open | State::Explained | State::Confirmed | State::Cleared, Found::Same) => None,
        (_, Found::Gone) => Some((State::Closed, "CLOSED")),
        (State::Closed | State::Cleared, _) => Some((State::Open, "REOPENED")),
        (State::Open | State::Explained, Found::Changed) => Some((State::Open, "EVIDENCE_CHANGED")),
        (State::Confirmed, Found::Changed) => Some((State::Confirmed, "EVIDENCE_CHANGED")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_act_is_decided() {
        let allowed: Vec<_> =
            State::ALL.into_iter().flat_map(|state| Act::ALL.into_iter().filter_map(move |act| after(state, act).map(|next| (state, act, next)))).collect();
        use {Act::*, State::*};
        assert_eq!(
            allowed,
            [
                (Open, Explain, Explained),
                (Open, Confirm, Confirmed),
                (Open, Clear, Cleared),
                (Explained, Explain, Explained),
                (Explained, Confirm, Confirmed),
                (Explained, Clear, Cleared),
                (Confirmed, Explain, Explained),
                (Confirmed, Clear, Cleared),
                (Cleared, Confirm, Confirmed),
            ]
        );
    }

    #[test]
    fn changed_evidence_opens_again_and_mended_data_close() {
        for (state, found, next) in [
            (State::Open, Found::Same, None),
            (State::Cleared, Found::Same, None),
            (State::Cleared, Found::Changed, Some(State::Open)),
            (State::Closed, Found::Same, Some(State::Open)),
            (State::Closed, Found::Changed, Some(State::Open)),
            (State::Explained, Found::Changed, Some(State::Open)),
            (State::Confirmed, Found::Changed, Some(State::Confirmed)),
            (State::Confirmed, Found::Gone, Some(State::Closed)),
            (State::Closed, Found::Gone, None),
        ] {
            assert_eq!(judged(state, found).map(|(next, _)| next), next, "{state:?} {found:?}");
        }
    }
}
