//! What may be done with evidence, how many of it there may be, and how long it is kept. Pure.

use chrono::{Months, NaiveDate};

/// Files that one dossier or case may have at a time.
pub const FILES: usize = 30;
/// Lines that one may have in all, with those that were taken out again.
pub const LINES: usize = 200;
/// Characters of a file's name.
pub const NAME_CHARACTERS: usize = 120;
/// Characters of what somebody opens or removes it for.
pub const PURPOSE_CHARACTERS: usize = 200;
/// How long what was stored waits for its row, in microseconds: a day. A whole upload may take a quarter of an hour.
pub const UNCLAIMED_US: i64 = 24 * 3600 * 1_000_000;

/// Where a piece of evidence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be opened.
    Kept,
    /// Whoever added it took it out before anybody decided on it. That it was there stays.
    Removed,
    /// Its time is over: the file is gone, that it was there stays.
    Lapsed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Kept, Self::Removed, Self::Lapsed];

    /// As stored.
    pub fn code(self) -> i32 {
        match self {
            Self::Kept => 1,
            Self::Removed => 50,
            Self::Lapsed => 51,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "KEPT",
            Self::Removed => "REMOVED",
            Self::Lapsed => "LAPSED",
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownState;

    fn try_from(code: i32) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownState(code))
    }
}

/// A code that is no state's.
#[derive(Debug, thiserror::Error)]
#[error("no state of evidence has the code {0}")]
pub struct UnknownState(i32);

/// What a file proves, as far as it matters for how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proves {
    /// That money was paid, stopped or came back.
    Money,
    /// What the roll says of somebody.
    Roll,
    /// Something that was asked for and not granted, or a decision that was withdrawn.
    Nothing,
}

impl Proves {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Money, Self::Roll, Self::Nothing];

    /// For how many years it is kept after all is over.
    ///
    /// | what | years | by |
    /// | --- | --- | --- |
    /// | money | 30 | 会计档案管理办法（财政部、国家档案局令第79号）附表: 原始凭证 |
    /// | the roll | 10 | the longest 学制 and 休学 several times over; no rule names a term for annexes |
    /// | nothing | 3 | 民法典第188条: until then somebody may sue; no longer is needed (个人信息保护法第19条) |
    pub fn years(self) -> u32 {
        match self {
            Self::Money => 30,
            Self::Roll => 10,
            Self::Nothing => 3,
        }
    }

    /// The fewest years that anything is kept: nothing younger need be looked at.
    pub fn fewest_years() -> u32 {
        Self::ALL.into_iter().map(Self::years).min().unwrap_or(0)
    }
}

/// That what evidence lies with is over, since when, and what it proves then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// Civil day.
    pub day: NaiveDate,
    /// What it proves.
    pub proves: Proves,
}

impl Over {
    /// Whether the file's time is over today: accounts are closed by the year, and so the years count from its end.
    pub fn lapses(self, today: NaiveDate) -> bool {
        use chrono::Datelike;
        let begin = NaiveDate::from_ymd_opt(self.day.year() + 1, 1, 1);
        begin.and_then(|begin| begin.checked_add_months(Months::new(12 * self.proves.years()))).is_some_and(|end| today >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_count_from_the_end_of_the_year_in_which_it_was_over() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (over, proves, last, first) in [
            ("2026-02-01", Proves::Nothing, "2029-12-31", "2030-01-01"),
            ("2026-12-31", Proves::Nothing, "2029-12-31", "2030-01-01"),
            ("2026-12-31", Proves::Roll, "2036-12-31", "2037-01-01"),
            ("2026-06-30", Proves::Money, "2056-12-31", "2057-01-01"),
        ] {
            let over = Over { day: day(over), proves };
            assert!(!over.lapses(day(last)) && over.lapses(day(first)), "{over:?}");
        }
        assert!(Proves::ALL.into_iter().all(|proves| proves.years() >= Proves::fewest_years()));
    }

    #[test]
    fn states_are_their_codes() {
        for state in State::ALL {
            assert_eq!(State::try_from(state.code()).ok(), Some(state));
        }
        assert!(State::try_from(0).is_err());
    }
}
