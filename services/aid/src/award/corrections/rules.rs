//! What a correction takes of what was approved. Pure.

use xuezhu_domain::{Fen, Month, UnknownCode};

use super::super::units::rules::{Kind, Standing};

/// What a correction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// 停发: nothing from a month on. It holds from when it is asked for.
    Stop,
    /// 核减: some months are taken out.
    Cut,
    /// 撤销: nothing of it.
    Void,
}

impl What {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Stop, Self::Cut, Self::Void];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Stop => 1,
            Self::Cut => 2,
            Self::Void => 3,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Cut => "CUT",
            Self::Void => "VOID",
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "停发",
            Self::Cut => "核减",
            Self::Void => "撤销",
        }
    }

    /// How a unit stands that it took.
    pub const fn leaves(self) -> Standing {
        match self {
            Self::Stop => Standing::Stopped,
            Self::Cut => Standing::Cut,
            Self::Void => Standing::Voided,
        }
    }
}

impl TryFrom<i32> for What {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|what| what.code() == code).ok_or(UnknownCode { of: "correction", code })
    }
}

/// A correction, with what it needs to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// From this month on.
    Stop(Month),
    /// These months.
    Cut(Vec<Month>),
    /// All of it.
    Void,
}

impl Correction {
    /// What it is.
    pub fn what(&self) -> What {
        match self {
            Self::Stop(_) => What::Stop,
            Self::Cut(_) => What::Cut,
            Self::Void => What::Void,
        }
    }

    /// The units that it takes of an entry's.
    pub fn takes(&self, units: &[Unit]) -> Result<Vec<Unit>, NotTaken> {
        let standing = || units.iter().filter(|unit| unit.standing == Standing::Approved).copied();
        if !matches!(self, Self::Void) && units.iter().any(|unit| unit.kind != Kind::Month) {
            return Err(NotTaken::Whole);
        }
        let taken: Vec<Unit> = match self {
            Self::Stop(from) => standing().filter(|unit| unit.first >= *from).collect(),
            Self::Cut(months) => {
                if let Some(gone) = months.iter().find(|month| !standing().any(|unit| unit.first == **month)) {
                    return Err(NotTaken::Gone(*gone));
                }
                standing().filter(|unit| months.contains(&unit.first)).collect()
            }
            Self::Void => standing().collect(),
        };
        if taken.is_empty() { Err(NotTaken::Nothing) } else { Ok(taken) }
    }
}

/// A unit of an entry, as a correction sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// What it covers.
    pub kind: Kind,
    /// Its first month.
    pub first: Month,
    /// What it comes to.
    pub fen: Fen,
    /// How it stands.
    pub standing: Standing,
}

/// Why a correction takes nothing of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It goes by the term.
    #[error("这个项目按学期享受，只能撤销")]
    Whole,
    /// A month that is not there, or no more.
    #[error("没有可以核减的{}年{}月：不在已审核的月份中，或已更正", .0.year(), .0.month())]
    Gone(Month),
    /// None is left.
    #[error("没有可以更正的月份：已全部停发、核减或撤销")]
    Nothing,
}

/// Hash of what is asked for one entry: what, of which units, and of which content.
pub fn content(what: What, months: &str, fen: i64, entry: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&what.code().to_be_bytes()).update(&fen.to_be_bytes()).update(months.as_bytes()).update(&[0]).update(entry);
    hasher.finalize().as_bytes()[..16].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(number: i32) -> Month {
        Month::try_from(number).expect("a month")
    }

    fn unit(number: i32, standing: Standing) -> Unit {
        Unit { kind: Kind::Month, first: month(number), fen: Fen(23_000), standing }
    }

    #[test]
    fn a_correction_takes_what_stands_approved_and_nothing_twice() {
        use Standing::{Approved, Cut, Stopping};
        let units = [unit(202_609, Approved), unit(202_610, Cut), unit(202_611, Approved), unit(202_612, Stopping), unit(202_701, Approved)];
        let takes = |correction: Correction| {
            correction.takes(&units).map(|taken| taken.iter().map(|unit| unit.first.number()).collect::<Vec<_>>()).map_err(|why| why.to_string())
        };
        assert_eq!(takes(Correction::Stop(month(202_611))), Ok(vec![202_611, 202_701]));
        assert_eq!(takes(Correction::Stop(month(202_601))), Ok(vec![202_609, 202_611, 202_701]));
        assert_eq!(takes(Correction::Void), Ok(vec![202_609, 202_611, 202_701]));
        assert_eq!(takes(Correction::Cut(vec![month(202_609), month(202_701)])), Ok(vec![202_609, 202_701]));
        for (gone, months) in [("2026年10月", vec![month(202_610)]), ("2026年12月", vec![month(202_609), month(202_612)]), ("2026年8月", vec![month(202_608)])]
        {
            assert!(takes(Correction::Cut(months)).is_err_and(|why| why.contains(gone)), "{gone}");
        }
        assert_eq!(Correction::Stop(month(202_702)).takes(&units), Err(NotTaken::Nothing));
        assert_eq!(Correction::Cut(Vec::new()).takes(&units), Err(NotTaken::Nothing));
        assert_eq!(Correction::Void.takes(&[]), Err(NotTaken::Nothing));
    }

    #[test]
    fn a_term_is_taken_whole() {
        let term = [Unit { kind: Kind::Term, first: month(202_608), fen: Fen(100_000), standing: Standing::Approved }];
        assert_eq!(Correction::Stop(month(202_608)).takes(&term), Err(NotTaken::Whole));
        assert_eq!(Correction::Cut(vec![month(202_608)]).takes(&term), Err(NotTaken::Whole));
        assert_eq!(Correction::Void.takes(&term).map(|taken| taken.len()), Ok(1));
    }

    #[test]
    fn contents_differ_where_anything_does() {
        let all = [
            content(What::Stop, "202609", 1, b"a"),
            content(What::Cut, "202609", 1, b"a"),
            content(What::Stop, "202610", 1, b"a"),
            content(What::Stop, "202609", 2, b"a"),
            content(What::Stop, "202609", 1, b"b"),
        ];
        assert!((0..all.len()).all(|at| !all[..at].contains(&all[at])));
        assert!(What::ALL.into_iter().all(|what| What::try_from(what.code()) == Ok(what) && !what.leaves().stands()));
    }
}
