//! Where a summary stands, what it says, and what its digest covers. Pure.

use std::collections::BTreeMap;

use xuezhu_domain::UnknownCode;

/// Where a summary stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// With the head of the department.
    Submitted,
    /// Signed.
    Signed,
    /// Sent back, refused or recalled.
    Dropped,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Submitted, Self::Signed, Self::Dropped];
    /// The last code of the states in which one waits: an index tells them by it.
    pub const LAST_WAITING: i32 = 10;

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Submitted => 1,
            Self::Signed => 11,
            Self::Dropped => 51,
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of a summary", code })
    }
}

/// A school and a scheme, by which lines are in order.
pub type Key = (String, String);

/// What a line says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// Students.
    pub entries: i64,
    /// Months, or terms.
    pub units: i64,
    /// Fen.
    pub fen: i64,
}

/// What a summary says, in order.
pub type Lines = BTreeMap<Key, Said>;

/// The content of a line.
pub fn content((school, scheme): &Key, said: Said) -> Vec<u8> {
    let mut hash = blake3::Hasher::new();
    hash.update(school.as_bytes()).update(b"\n").update(scheme.as_bytes()).update(b"\n");
    for number in [said.entries, said.units, said.fen] {
        hash.update(&number.to_be_bytes());
    }
    hash.finalize().as_bytes()[..16].to_vec()
}

/// Covers everything that a summary says; 16 hexadecimal digits.
pub fn digest(lines: &Lines) -> String {
    let mut hash = blake3::Hasher::new();
    for (key, said) in lines {
        hash.update(&content(key, *said));
    }
    hash.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[(&str, &str, i64)]) -> Lines {
        rows.iter().map(|(school, scheme, fen)| (((*school).to_owned(), (*scheme).to_owned()), Said { entries: 1, units: 5, fen: *fen })).collect()
    }

    #[test]
    fn a_digest_covers_each_line_whatever_order_they_came_in() {
        let two = lines(&[("1", "GRANT", 100), ("2", "GRANT", 200)]);
        assert_eq!(digest(&two), digest(&lines(&[("2", "GRANT", 200), ("1", "GRANT", 100)])));
        for other in [
            &[("1", "GRANT", 100)][..],
            &[("1", "GRANT", 100), ("2", "GRANT", 201)],
            &[("1", "GRANT", 100), ("2", "TUITION_WAIVER", 200)],
            &[("1", "GRANT", 100), ("3", "GRANT", 200)],
        ] {
            assert_ne!(digest(&two), digest(&lines(other)), "{other:?}");
        }
        assert_eq!(digest(&Lines::new()).len(), 16);
    }

    #[test]
    fn what_waits_is_told_by_its_code() {
        assert!(State::ALL.into_iter().all(|state| (state == State::Submitted) == (state.code() <= State::LAST_WAITING)));
        assert!(State::ALL.into_iter().all(|state| State::try_from(state.code()) == Ok(state)) && State::try_from(2).is_err());
    }
}
