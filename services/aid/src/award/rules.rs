//! What may happen to an entry, and where a list stands. Pure.

use xuezhu_domain::{
    Month,
    money::{AccountKind, check_card},
    text,
};
use xuezhu_judge::{entry::State, policy::Paid};

/// Longest remark, in characters.
const REMARK_CHARACTERS: usize = 100;

/// What the clerk can do with an entry. What desks do with what was submitted is the way of a dossier ([`xuezhu_review::way`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The clerk edits.
    Edit,
    /// The clerk takes it off.
    Remove,
    /// The clerk submits.
    Submit,
    /// The clerk takes what was sent back into the drafts again, as it is.
    Redraft,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 4] = [Self::Edit, Self::Remove, Self::Submit, Self::Redraft];
}

/// What a change makes of a state; `None` where it is not allowed.
pub fn after(state: State, change: Change) -> Option<State> {
    match (state, change) {
        (State::Draft | State::SentBack, Change::Edit) | (State::SentBack, Change::Redraft) => Some(State::Draft),
        (State::Draft | State::SentBack, Change::Remove) => Some(State::Removed),
        (State::Draft, Change::Submit) => Some(State::Submitted),
        (State::SentBack, Change::Submit) | (State::Draft, Change::Redraft) | (State::Submitted | State::Attested | State::Approved | State::Removed, _) => {
            None
        }
    }
}

/// Where a list stands, by how many of its entries stand where: where the first of those that wait stands. Where none waits, what was
/// decided counts: one that was sent back makes no draft of all that was approved.
pub fn list_state(counts: &[(State, i64)]) -> State {
    let any = |state: State| counts.iter().any(|(of, count)| *of == state && *count > 0);
    let waiting = [State::Submitted, State::Attested, State::Draft].into_iter().find(|state| any(*state));
    waiting.unwrap_or(if any(State::Approved) { State::Approved } else { State::Draft })
}

/// Months of an entry, in the order of the term's: none for all of them. What goes by the term has them all.
pub fn months_of_term(wanted: &[Month], term: &[Month], paid: Paid) -> Result<Vec<Month>, String> {
    if let Some(stranger) = wanted.iter().find(|month| !term.contains(month)) {
        let shown: Vec<String> = term.iter().map(|month| month.month().to_string()).collect();
        return Err(format!("{}年{}月不在本学期的发放月份（{}）中", stranger.year(), stranger.month(), shown.join("、")));
    }
    let months: Vec<Month> = term.iter().filter(|month| wanted.is_empty() || wanted.contains(month)).copied().collect();
    if paid == Paid::Term && months.len() != term.len() { Err("这个项目按学期享受，不能只选部分月份".to_owned()) } else { Ok(months) }
}

/// What is wrong with a bank card as it was typed, by code and in words; empty is no card.
pub fn card_fault(typed: &str) -> Option<(&'static str, String)> {
    let card = text::clean_number(typed);
    if card.is_empty() { None } else { check_card(&card).err().map(|error| ("CARD", error.to_string())) }
}

/// What is wrong with whose a card is said to be, likewise.
pub fn holder_fault(typed: &str) -> Option<(&'static str, String)> {
    let holder = text::tidy_name(typed);
    if holder.is_empty() { None } else { text::name_fault(&holder).map(|why| ("NAME", why)) }
}

/// What the number of an account is of, as stored: 0 where there is none.
pub fn card_kind(card: &str) -> i32 {
    AccountKind::of(card).map_or(0, AccountKind::code)
}

/// What is wrong with a remark, likewise.
pub fn remark_fault(typed: &str) -> Option<(&'static str, String)> {
    let remark = text::clean(typed);
    if remark.chars().count() > REMARK_CHARACTERS {
        Some(("TOO_LONG", format!("不能超过{REMARK_CHARACTERS}字")))
    } else if text::holds_long_number(&remark) {
        Some(("HOLDS_NUMBER", "备注中不要填写证件号、银行卡号或电话号码".to_owned()))
    } else {
        None
    }
}

/// Months as they stand on a sheet: 2026年9月至2027年1月; one by one where some between are missing.
pub fn months_name(months: &[Month]) -> String {
    let name = |month: &Month| format!("{}年{}月", month.year(), month.month());
    match months {
        [first, .., last] if months.windows(2).all(|pair| pair[0].end() == pair[1].first_day()) => format!("{}至{}", name(first), name(last)),
        _ => months.iter().map(name).collect::<Vec<_>>().join("、"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xuezhu_judge::entry::Meaning;

    #[test]
    fn a_state_is_its_code_and_its_meaning_a_range_of_codes() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
            let by_code = match state.code() {
                ..=State::LAST_CLERKS => Meaning::Clerks,
                State::FIRST_REMOVED.. => Meaning::Removed,
                _ => Meaning::Submitted,
            };
            assert_eq!(state.meaning(), by_code, "{state:?}");
            assert_eq!(by_code == Meaning::Clerks, after(state, Change::Edit).is_some(), "{state:?}");
            assert!(by_code != Meaning::Removed || Change::ALL.into_iter().all(|change| after(state, change).is_none()), "{state:?}");
        }
        assert!(State::from_code(0).is_none() && State::LAST_CLERKS < State::FIRST_REMOVED, "none is asked for by 0");
    }

    #[test]
    fn every_pair_of_state_and_change_is_decided() {
        use {Change::*, State::*};
        let allowed: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|state| Change::ALL.into_iter().filter_map(move |change| after(state, change).map(|next| (state, change, next))))
            .collect();
        assert_eq!(
            allowed,
            [
                (Draft, Edit, Draft),
                (Draft, Remove, Removed),
                (Draft, Submit, Submitted),
                (SentBack, Edit, Draft),
                (SentBack, Remove, Removed),
                (SentBack, Redraft, Draft),
            ]
        );
    }

    #[test]
    fn a_list_stands_where_the_first_of_what_waits_does() {
        use State::{Approved, Attested, Draft, Removed, SentBack, Submitted};
        for (counts, stands) in [
            (&[][..], Draft),
            (&[(Draft, 1)], Draft),
            (&[(SentBack, 3)], Draft),
            (&[(Removed, 3)], Draft),
            (&[(Approved, 5_977), (SentBack, 1)], Approved),
            (&[(Approved, 1), (SentBack, 0), (Draft, 0)], Approved),
            (&[(Approved, 5_977), (Draft, 1)], Draft),
            (&[(Approved, 1), (Attested, 1), (SentBack, 1)], Attested),
            (&[(Draft, 1), (Attested, 1), (Approved, 1)], Attested),
            (&[(Attested, 1), (Submitted, 1), (Draft, 1)], Submitted),
            (&[(Submitted, 1), (SentBack, 1)], Submitted),
        ] {
            assert_eq!(list_state(counts), stands, "{counts:?}");
        }
    }

    #[test]
    fn months_are_written_as_they_are_read() {
        let months = |numbers: &[i32]| months_name(&numbers.iter().filter_map(|number| Month::try_from(*number).ok()).collect::<Vec<_>>());
        assert_eq!(months(&[202_609, 202_610, 202_611, 202_612, 202_701]), "2026年9月至2027年1月");
        assert_eq!(months(&[202_609, 202_611]), "2026年9月、2026年11月");
        assert_eq!((months(&[202_609]), months(&[])), ("2026年9月".to_owned(), String::new()));
    }
}
