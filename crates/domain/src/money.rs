//! Money in fen, and the numbers of bank cards.

use serde::{Deserialize, Serialize};

/// An amount in fen (0.01 yuan).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// As yuan with two decimals, such as `230.00`.
    pub fn yuan(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", self.0.abs() / 100, self.0.abs() % 100)
    }

    /// Of yuan as people type them: `450`, `450.5`, `1,450.25`; none where that is no amount.
    pub fn from_yuan(typed: &str) -> Option<Self> {
        let typed = typed.trim().replace(['，', ','], "");
        if !typed.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (yuan, cents) = typed.split_once('.').unwrap_or((&typed, ""));
        let cents = format!("{cents:0<2}");
        match (yuan.parse::<i64>(), cents.parse::<i64>(), cents.len()) {
            (Ok(yuan @ 0..=1_000_000_000), Ok(cents @ 0..), 2) => Some(Self(yuan * 100 + cents)),
            _ => None,
        }
    }
}

impl std::iter::Sum for Fen {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|fen| fen.0).sum())
    }
}

/// What is wrong with a card number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Not 8 to 30 digits.
    #[error("银行卡号应为数字")]
    Form,
    /// A UnionPay card (prefix 62) has 16 to 19 digits.
    #[error("62开头的银行卡号应为16至19位")]
    Length,
    /// A UnionPay card that fails the Luhn check (rule PY-2).
    #[error("银行卡号校验位不符，请核对")]
    Luhn,
}

/// Checks a card number: hard for UnionPay cards (prefix 62), form only for others, some of which are older
/// debit cards or account numbers that lawfully fail the Luhn check (rule PY-2).
pub fn check_card(card: &str) -> Result<(), CardError> {
    if !(8..=30).contains(&card.len()) || !card.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CardError::Form);
    }
    if card.starts_with("62") {
        if !(16..=19).contains(&card.len()) {
            return Err(CardError::Length);
        }
        if !luhn(card) {
            return Err(CardError::Luhn);
        }
    }
    Ok(())
}

/// What a number that is in order is the number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// A card: 16 to 19 digits that pass the Luhn check.
    Card,
    /// An older account or a passbook (rule PY-2).
    Other,
}

impl AccountKind {
    /// Of a number; none of an empty one.
    pub fn of(number: &str) -> Option<Self> {
        let is_card = || (16..=19).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) && luhn(number);
        (!number.is_empty()).then(|| if is_card() { Self::Card } else { Self::Other })
    }

    /// As stored; 0 is none.
    pub const fn code(self) -> i32 {
        match self {
            Self::Card => 1,
            Self::Other => 2,
        }
    }
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, b)| {
            let digit = u32::from(b - b'0');
            match index % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_of_a_card_or_of_an_older_account() {
        for (number, kind) in [
            ("", None),
            ("6222600260001072444", Some(AccountKind::Card)),
            ("4000056655665556", Some(AccountKind::Card)),
            ("4000056655665557", Some(AccountKind::Other)),
            ("12345678", Some(AccountKind::Other)),
        ] {
            assert_eq!(AccountKind::of(number), kind, "{number}");
        }
    }

    #[test]
    fn cards_are_checked_by_kind() {
        for (card, verdict) in [
            ("6222600260001072444", Ok(())),
            ("6222600260001072445", Err(CardError::Luhn)),
            ("622260026", Err(CardError::Length)),
            ("4580601234567890", Ok(())),
            ("62226O", Err(CardError::Form)),
        ] {
            assert_eq!(check_card(card), verdict, "{card}");
        }
    }

    #[test]
    fn yuan_are_read_as_people_write_them() {
        for (typed, read) in [
            ("", None),
            ("-0.01", None),
            ("450", Some(45_000)),
            ("450.5", Some(45_050)),
            ("1,450.25", Some(145_025)),
            ("450.255", None),
            ("四百", None),
            ("-3", None),
            (".5", None),
        ] {
            assert_eq!(Fen::from_yuan(typed), read.map(Fen), "{typed}");
        }
    }

    #[test]
    fn yuan_has_two_decimals() {
        assert_eq!(Fen(23_005).yuan(), "230.05");
        assert_eq!(Fen(-5).yuan(), "-0.05");
    }
}
