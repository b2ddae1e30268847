//! The life of a confirmed case, and what became of the money. A case is entered when the department confirms; only the department's own
//! change of mind withdraws it, and it stays readable then too.

use xuezhu_domain::UnknownCode;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Confirmed, and what was found is still there.
    Standing,
    /// Confirmed and mended; then found again, and nobody has decided on that.
    FoundAgain,
    /// Confirmed, and the data were mended since: it was a fault all the same.
    Mended,
    /// The department changed its decision.
    Withdrawn,
}

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// It is a fault that was found: sums count it, and what became of the money is asked for.
    pub counts: bool,
    /// What was found is still in the data.
    pub is_there: bool,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Standing, Self::FoundAgain, Self::Mended, Self::Withdrawn];

    /// The first code of what counts no more: queries tell it by it.
    pub const FIRST_WITHDRAWN: i32 = 50;

    /// What it means.
    pub const fn meaning(self) -> Meaning {
        match self {
            Self::Standing | Self::FoundAgain => Meaning { counts: true, is_there: true },
            Self::Mended => Meaning { counts: true, is_there: false },
            Self::Withdrawn => Meaning { counts: false, is_there: false },
        }
    }

    /// As stored: those that count below [`State::FIRST_WITHDRAWN`].
    pub const fn code(self) -> i32 {
        match self {
            Self::Standing => 1,
            Self::FoundAgain => 2,
            Self::Mended => 11,
            Self::Withdrawn => 51,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standing => "STANDING",
            Self::FoundAgain => "FOUND_AGAIN",
            Self::Mended => "MENDED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standing => "已认定",
            Self::FoundAgain => "再次出现，待核定",
            Self::Mended => "已认定，数据已改正",
            Self::Withdrawn => "已撤销认定",
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of a case", code })
    }
}

/// What is noted in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Confirmed: the case is entered.
    Entered,
    /// Confirmed anew.
    ConfirmedAgain,
    /// Found on other evidence.
    EvidenceChanged,
    /// The data were mended.
    Mended,
    /// Found again.
    FoundAgain,
    /// What was found again is no fault; what was confirmed before stays.
    NotAgain,
    /// The department changed its decision.
    Withdrawn,
    /// The school added something.
    Added,
    /// What became of the money.
    Outcome,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 9] = [
        Self::Entered,
        Self::ConfirmedAgain,
        Self::EvidenceChanged,
        Self::Mended,
        Self::FoundAgain,
        Self::NotAgain,
        Self::Withdrawn,
        Self::Added,
        Self::Outcome,
    ];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Entered => 1,
            Self::ConfirmedAgain => 2,
            Self::EvidenceChanged => 3,
            Self::Mended => 4,
            Self::FoundAgain => 5,
            Self::NotAgain => 6,
            Self::Withdrawn => 7,
            Self::Added => 8,
            Self::Outcome => 9,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entered => "ENTERED",
            Self::ConfirmedAgain => "CONFIRMED_AGAIN",
            Self::EvidenceChanged => "EVIDENCE_CHANGED",
            Self::Mended => "MENDED",
            Self::FoundAgain => "FOUND_AGAIN",
            Self::NotAgain => "NOT_AGAIN",
            Self::Withdrawn => "WITHDRAWN",
            Self::Added => "ADDED",
            Self::Outcome => "OUTCOME",
        }
    }

    /// From what clients are told.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entered => "认定为问题，列入台账",
            Self::ConfirmedAgain => "再次认定",
            Self::EvidenceChanged => "依据有变化",
            Self::Mended => "数据已改正，疑点自动关闭",
            Self::FoundAgain => "再次出现",
            Self::NotAgain => "再次出现的经核定排除，原认定不变",
            Self::Withdrawn => "撤销认定",
            Self::Added => "学校说明",
            Self::Outcome => "登记处理结果",
        }
    }
}

impl TryFrom<i32> for Step {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|step| step.code() == code).ok_or(UnknownCode { of: "step of a case", code })
    }
}

/// What a case hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The department confirmed its flag.
    Confirmed,
    /// The department found no fault, or had found none for what is found.
    Cleared,
    /// Nothing is found any more.
    Gone,
    /// It is found again.
    Again,
    /// It is found on other evidence.
    Changed,
    /// The school said something.
    Added,
    /// The department recorded what became of the money.
    Outcome,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 7] = [Self::Confirmed, Self::Cleared, Self::Gone, Self::Again, Self::Changed, Self::Added, Self::Outcome];
}

/// What an event makes of a case, and what is noted; `None` where nothing is. A clearing withdraws what stands; of what was mended and
/// found again it says only that this time it is no fault.
pub fn after(state: State, event: Event) -> Option<(State, Step)> {
    match (state, event) {
        (_, Event::Confirmed) => Some((State::Standing, Step::ConfirmedAgain)),
        (State::Standing, Event::Cleared) => Some((State::Withdrawn, Step::Withdrawn)),
        (State::FoundAgain, Event::Cleared) => Some((State::Mended, Step::NotAgain)),
        (State::Standing | State::FoundAgain, Event::Gone) => Some((State::Mended, Step::Mended)),
        (State::Mended, Event::Again) => Some((State::FoundAgain, Step::FoundAgain)),
        (State::Standing | State::FoundAgain, Event::Changed) => Some((state, Step::EvidenceChanged)),
        (State::Standing | State::FoundAgain, Event::Added) => Some((state, Step::Added)),
        (State::Standing | State::FoundAgain | State::Mended, Event::Outcome) => Some((state, Step::Outcome)),
        (State::Standing | State::FoundAgain, Event::Again)
        | (State::Mended, Event::Cleared | Event::Gone | Event::Changed | Event::Added)
        | (State::Withdrawn, _) => None,
    }
}

/// What became of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not paid.
    NotPaid,
    /// It is paid no more from some month on.
    Stopped,
    /// It was paid, and is to come back.
    ToRecover,
    /// It came back.
    Recovered,
    /// Something else, as the text says.
    Other,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::NotPaid, Self::Stopped, Self::ToRecover, Self::Recovered, Self::Other];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::NotPaid => 1,
            Self::Stopped => 2,
            Self::ToRecover => 3,
            Self::Recovered => 4,
            Self::Other => 9,
        }
    }

    /// From what was stored; 0 is none.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPaid => "NOT_PAID",
            Self::Stopped => "STOPPED",
            Self::ToRecover => "TO_RECOVER",
            Self::Recovered => "RECOVERED",
            Self::Other => "OTHER",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotPaid => "未发放",
            Self::Stopped => "已停发",
            Self::ToRecover => "待追回",
            Self::Recovered => "已追回",
            Self::Other => "其他",
        }
    }

    /// What is wrong with an outcome of so much money: field and why. Money that is to come back, or came, is some, and no more than
    /// was at stake, where that is known.
    pub fn fault(self, fen: i64, at_stake: Option<i64>, text: &str) -> Option<(&'static str, &'static str)> {
        let is_of_money_paid = matches!(self, Self::ToRecover | Self::Recovered);
        if fen < 0 {
            Some(("amount_fen", "不能为负数"))
        } else if is_of_money_paid && fen == 0 {
            Some(("amount_fen", "请填写金额"))
        } else if is_of_money_paid && at_stake.is_some_and(|most| fen > most) {
            Some(("amount_fen", "不能多于认定时的涉及金额"))
        } else if self == Self::Other && text.is_empty() {
            Some(("text", "选“其他”的，请写明情况"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_event_is_decided() {
        let decided: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|state| Event::ALL.into_iter().filter_map(move |event| after(state, event).map(|(next, step)| (state, event, next, step))))
            .collect();
        use {Event as E, State as S, Step as T};
        assert_eq!(
            decided,
            [
                (S::Standing, E::Confirmed, S::Standing, T::ConfirmedAgain),
                (S::Standing, E::Cleared, S::Withdrawn, T::Withdrawn),
                (S::Standing, E::Gone, S::Mended, T::Mended),
                (S::Standing, E::Changed, S::Standing, T::EvidenceChanged),
                (S::Standing, E::Added, S::Standing, T::Added),
                (S::Standing, E::Outcome, S::Standing, T::Outcome),
                (S::FoundAgain, E::Confirmed, S::Standing, T::ConfirmedAgain),
                (S::FoundAgain, E::Cleared, S::Mended, T::NotAgain),
                (S::FoundAgain, E::Gone, S::Mended, T::Mended),
                (S::FoundAgain, E::Changed, S::FoundAgain, T::EvidenceChanged),
                (S::FoundAgain, E::Added, S::FoundAgain, T::Added),
                (S::FoundAgain, E::Outcome, S::FoundAgain, T::Outcome),
                (S::Mended, E::Confirmed, S::Standing, T::ConfirmedAgain),
                (S::Mended, E::Again, S::FoundAgain, T::FoundAgain),
                (S::Mended, E::Outcome, S::Mended, T::Outcome),
                (S::Withdrawn, E::Confirmed, S::Standing, T::ConfirmedAgain),
            ]
        );
    }

    /// Whatever happens by itself, what was confirmed counts: only a person's act may end that.
    #[test]
    fn nothing_that_happens_by_itself_takes_a_case_out() {
        for state in State::ALL.into_iter().filter(|state| state.meaning().counts) {
            for event in [Event::Gone, Event::Again, Event::Changed] {
                assert!(after(state, event).is_none_or(|(next, _)| next.meaning().counts), "{state:?} {event:?}");
            }
        }
        for state in State::ALL {
            assert_eq!(state.meaning().counts, state.code() < State::FIRST_WITHDRAWN, "{state:?}");
            assert_eq!(State::try_from(state.code()), Ok(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        for step in Step::ALL {
            assert_eq!(Step::try_from(step.code()), Ok(step));
        }
    }

    #[test]
    fn money_that_comes_back_is_some_and_not_more_than_was_at_stake() {
        use Outcome as O;
        for (outcome, fen, at_stake, text, field) in [
            (O::NotPaid, 0, Some(100), "", None),
            (O::NotPaid, -1, Some(100), "", Some("amount_fen")),
            (O::Stopped, 0, None, "", None),
            (O::ToRecover, 0, Some(100), "", Some("amount_fen")),
            (O::ToRecover, 100, Some(100), "", None),
            (O::ToRecover, 101, Some(100), "", Some("amount_fen")),
            (O::Recovered, 101, None, "", None),
            (O::Other, 0, Some(100), "", Some("text")),
            (O::Other, 101, Some(100), "另案处理", None),
        ] {
            assert_eq!(outcome.fault(fen, at_stake, text).map(|(field, _)| field), field, "{outcome:?} {fen} {at_stake:?}");
        }
        for outcome in O::ALL {
            assert_eq!((O::from_code(outcome.code()), O::parse(outcome.as_str())), (Some(outcome), Some(outcome)));
        }
        assert!(O::from_code(0).is_none(), "0 is none");
    }
}
