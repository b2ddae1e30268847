//! A flag's life: open → explained → confirmed or cleared; it closes by itself when the data are mended.

use serde::{Deserialize, Serialize};
use xuezhu_domain::UnknownCode;

use crate::register::Event;

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

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The money waits, if the rule holds payment: somebody has yet to explain, decide or mend.
    pub holds: bool,
    /// Nothing is found any more.
    pub is_closed: bool,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Explained, Self::Confirmed, Self::Cleared, Self::Closed];

    /// The last code of the states that hold: queries tell them by it.
    pub const LAST_HOLDING: i32 = 10;

    /// The first code of the closed states: queries and an index tell them by it.
    pub const FIRST_CLOSED: i32 = 50;

    /// What it means.
    pub const fn meaning(self) -> Meaning {
        match self {
            Self::Open | Self::Explained | Self::Confirmed => Meaning { holds: true, is_closed: false },
            Self::Cleared => Meaning { holds: false, is_closed: false },
            Self::Closed => Meaning { holds: false, is_closed: true },
        }
    }

    /// As stored: those that hold up to [`State::LAST_HOLDING`], closed ones from [`State::FIRST_CLOSED`] on.
    pub const fn code(self) -> i32 {
        match self {
            Self::Open => 1,
            Self::Explained => 2,
            Self::Confirmed => 3,
            Self::Cleared => 11,
            Self::Closed => 51,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Explained => "EXPLAINED",
            Self::Confirmed => "CONFIRMED",
            Self::Cleared => "CLEARED",
            Self::Closed => "CLOSED",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "待学校说明",
            Self::Explained => "待主管部门核定",
            Self::Confirmed => "已认定问题",
            Self::Cleared => "已排除",
            Self::Closed => "已自动关闭",
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "state of a flag", code })
    }
}

/// What is noted in a flag's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Found.
    Opened,
    /// Found on other evidence.
    EvidenceChanged,
    /// Found again, or on other evidence than it was cleared for.
    Reopened,
    /// Found no more.
    Closed,
    /// Found again on the very evidence that it was cleared for: it is cleared again.
    Remembered,
    /// The school explained, or added to what is confirmed.
    Explained,
    /// The department confirmed the fault.
    Confirmed,
    /// The department found no fault.
    Cleared,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 8] =
        [Self::Opened, Self::EvidenceChanged, Self::Reopened, Self::Closed, Self::Remembered, Self::Explained, Self::Confirmed, Self::Cleared];

    /// As stored: the judge's first, then those of people.
    pub const fn code(self) -> i32 {
        match self {
            Self::Opened => 1,
            Self::EvidenceChanged => 2,
            Self::Reopened => 3,
            Self::Closed => 4,
            Self::Remembered => 5,
            Self::Explained => 11,
            Self::Confirmed => 12,
            Self::Cleared => 13,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::EvidenceChanged => "EVIDENCE_CHANGED",
            Self::Reopened => "REOPENED",
            Self::Closed => "CLOSED",
            Self::Remembered => "REMEMBERED",
            Self::Explained => "EXPLAINED",
            Self::Confirmed => "CONFIRMED",
            Self::Cleared => "CLEARED",
        }
    }
}

impl Step {
    /// What a confirmed case hears of it.
    pub fn heard(self) -> Option<Event> {
        match self {
            Self::Opened => None,
            Self::EvidenceChanged => Some(Event::Changed),
            Self::Reopened => Some(Event::Again),
            Self::Closed => Some(Event::Gone),
            Self::Explained => Some(Event::Added),
            Self::Confirmed => Some(Event::Confirmed),
            Self::Cleared | Self::Remembered => Some(Event::Cleared),
        }
    }

    /// From what clients are told.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "发现疑点",
            Self::EvidenceChanged => "依据有变化",
            Self::Reopened => "再次出现，重新打开",
            Self::Closed => "对不上的地方已消失，自动关闭",
            Self::Remembered => "依据与原先排除的相同，仍按排除处理",
            Self::Explained => "学校说明",
            Self::Confirmed => "认定为问题",
            Self::Cleared => "排除",
        }
    }
}

impl TryFrom<i32> for Step {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "step of a flag", code })
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
    pub fn step(self) -> Step {
        match self {
            Self::Explain => Step::Explained,
            Self::Confirm => Step::Confirmed,
            Self::Clear => Step::Cleared,
        }
    }
}

/// The evidence that a flag shows, beside that of the department's last confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The same, or nothing was confirmed.
    Same,
    /// Other evidence: what was confirmed is not what is found now.
    Other,
}

impl Shows {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Same, Self::Other];

    /// As a row tells it.
    pub fn of(changed: bool) -> Self {
        if changed { Self::Other } else { Self::Same }
    }
}

/// What an act makes of a state; `None` where it is not allowed. The department may decide without an explanation, and
/// may change its mind; it confirms again what shows other evidence than was confirmed. What is confirmed is the department's: the school
/// may add to it, never move it.
pub fn after(state: State, shows: Shows, act: Act) -> Option<State> {
    match (state, shows, act) {
        (State::Open | State::Explained, _, Act::Explain) => Some(State::Explained),
        (State::Confirmed, _, Act::Explain)
        | (State::Open | State::Explained | State::Cleared, _, Act::Confirm)
        | (State::Confirmed, Shows::Other, Act::Confirm) => Some(State::Confirmed),
        (State::Open | State::Explained | State::Confirmed, _, Act::Clear) => Some(State::Cleared),
        (State::Cleared | State::Closed, _, Act::Explain | Act::Clear) | (State::Confirmed, Shows::Same, Act::Confirm) | (State::Closed, _, Act::Confirm) => {
            None
        }
    }
}

/// What the judge found about a flag that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The finding, on the same evidence.
    Same,
    /// The finding, on other evidence.
    Changed,
    /// The finding, on other evidence or after there was none: the very evidence for which the department found no fault, and has not
    /// confirmed it since.
    Remembered,
    /// No finding any more.
    Gone,
}

impl Found {
    /// Everything that can be found.
    pub const ALL: [Self; 4] = [Self::Same, Self::Changed, Self::Remembered, Self::Gone];
}

/// What a judgement makes of a state, and the step that is noted; `None` where nothing happens. "No fault" is remembered
/// for its evidence: while it stands and when it comes again, also in between other evidence; a later confirmation ends that. An
/// explanation holds as long as its evidence stands.
pub fn judged(state: State, found: Found) -> Option<(State, Step)> {
    match (state, found) {
        (State::Closed, Found::Gone)
        | (State::Open | State::Explained | State::Confirmed | State::Cleared, Found::Same)
        | (State::Cleared, Found::Remembered) => None,
        (_, Found::Gone) => Some((State::Closed, Step::Closed)),
        (State::Open | State::Explained | State::Closed, Found::Remembered) => Some((State::Cleared, Step::Remembered)),
        (State::Closed, Found::Same | Found::Changed) | (State::Cleared, Found::Changed) => Some((State::Open, Step::Reopened)),
        (State::Open | State::Explained, Found::Changed) => Some((State::Open, Step::EvidenceChanged)),
        (State::Confirmed, Found::Changed | Found::Remembered) => Some((State::Confirmed, Step::EvidenceChanged)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_act_is_decided() {
        let allowed = |shows| -> Vec<_> {
            let of = |state| Act::ALL.into_iter().filter_map(move |act| after(state, shows, act).map(|next| (state, act, next)));
            State::ALL.into_iter().flat_map(of).collect()
        };
        use {Act::*, State::*};
        let always = [
            (Open, Explain, Explained),
            (Open, Confirm, Confirmed),
            (Open, Clear, Cleared),
            (Explained, Explain, Explained),
            (Explained, Confirm, Confirmed),
            (Explained, Clear, Cleared),
            (Confirmed, Explain, Confirmed),
            (Confirmed, Clear, Cleared),
            (Cleared, Confirm, Confirmed),
        ];
        assert_eq!(allowed(Shows::Same), always);
        let mut with_other = allowed(Shows::Other);
        with_other.retain(|one| !always.contains(one));
        assert_eq!(with_other, [(Confirmed, Confirm, Confirmed)], "what grew is confirmed again");
        assert_eq!(allowed(Shows::Other).len(), always.len() + 1);
    }

    #[test]
    fn a_state_is_its_code_and_its_meaning_a_range_of_codes() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
            let meaning = state.meaning();
            assert_eq!(meaning.holds, state.code() <= State::LAST_HOLDING, "{state:?}");
            assert_eq!(meaning.is_closed, state.code() >= State::FIRST_CLOSED, "{state:?}");
            assert_eq!(
                meaning.is_closed,
                Act::ALL.into_iter().all(|act| Shows::ALL.into_iter().all(|shows| after(state, shows, act).is_none())),
                "{state:?}: nobody acts on what is closed"
            );
        }
        assert!(State::from_code(0).is_none() && State::LAST_HOLDING < State::FIRST_CLOSED, "none is asked for by 0");
        for step in Step::ALL {
            assert_eq!(Step::from_code(step.code()), Some(step));
        }
    }

    #[test]
    fn every_pair_of_state_and_finding_is_decided() {
        let decided: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|state| Found::ALL.into_iter().filter_map(move |found| judged(state, found).map(|(next, step)| (state, found, next, step))))
            .collect();
        use {Found as F, State as S, Step as T};
        assert_eq!(
            decided,
            [
                (S::Open, F::Changed, S::Open, T::EvidenceChanged),
                (S::Open, F::Remembered, S::Cleared, T::Remembered),
                (S::Open, F::Gone, S::Closed, T::Closed),
                (S::Explained, F::Changed, S::Open, T::EvidenceChanged),
                (S::Explained, F::Remembered, S::Cleared, T::Remembered),
                (S::Explained, F::Gone, S::Closed, T::Closed),
                (S::Confirmed, F::Changed, S::Confirmed, T::EvidenceChanged),
                (S::Confirmed, F::Remembered, S::Confirmed, T::EvidenceChanged),
                (S::Confirmed, F::Gone, S::Closed, T::Closed),
                (S::Cleared, F::Changed, S::Open, T::Reopened),
                (S::Cleared, F::Gone, S::Closed, T::Closed),
                (S::Closed, F::Same, S::Open, T::Reopened),
                (S::Closed, F::Changed, S::Open, T::Reopened),
                (S::Closed, F::Remembered, S::Cleared, T::Remembered),
            ]
        );
    }

    #[test]
    fn a_school_moves_nothing_that_is_the_departments() {
        for (state, shows) in State::ALL.into_iter().flat_map(|state| Shows::ALL.map(|shows| (state, shows))) {
            if let Some(next) = after(state, shows, Act::Explain) {
                assert!(next == state || (state == State::Open && next == State::Explained), "{state:?}");
            }
        }
    }
}
