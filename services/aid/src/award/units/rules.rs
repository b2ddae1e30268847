//! What an entry covers, how its amount falls on that, and what of it somebody has already. Pure.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{Fen, Month, Term, UnknownCode};
use xuezhu_judge::policy::{Paid, SchemeCode};

/// What one unit covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A month.
    Month,
    /// A term.
    Term,
    /// A school year. No scheme goes by it yet.
    Year,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Month, Self::Term, Self::Year];

    /// Of a scheme that goes by this.
    pub const fn of(paid: Paid) -> Self {
        match paid {
            Paid::Month => Self::Month,
            Paid::Term => Self::Term,
        }
    }

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Term => 2,
            Self::Year => 3,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "MONTH",
            Self::Term => "TERM",
            Self::Year => "YEAR",
        }
    }
}

impl TryFrom<i32> for Kind {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(UnknownCode { of: "kind of a unit", code })
    }
}

/// How a unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// On a list that is not approved.
    Claimed,
    /// Approved: nobody else's claim for it can be.
    Approved,
    /// Approved, and to be stopped: the school asks, nothing is decided. Nobody else's claim for it can be approved, and it is not paid.
    Stopping,
    /// Approved before units were rows, beside an earlier approved one of the same student: it stays listed until the department decides.
    Double,
    /// A correction stopped it.
    Stopped,
    /// A correction took it out.
    Cut,
    /// A correction voided the entry.
    Voided,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 7] = [Self::Claimed, Self::Approved, Self::Stopping, Self::Double, Self::Stopped, Self::Cut, Self::Voided];

    /// The first code of those that are somebody's: nobody else's claim for one can be approved. Queries and the index tell them by it.
    pub const FIRST_TAKEN: i32 = 11;

    /// The first code behind them.
    pub const FIRST_FREE: i32 = 20;

    /// The first code of those that a correction took: nobody claims them any more.
    pub const FIRST_CORRECTED: i32 = 60;

    /// The first code of those that don't stand any more: queries tell them by it.
    pub const FIRST_FALLEN: i32 = 50;

    /// Whether it is money that is claimed or given.
    pub const fn stands(self) -> bool {
        match self {
            Self::Claimed | Self::Approved | Self::Stopping => true,
            Self::Double | Self::Stopped | Self::Cut | Self::Voided => false,
        }
    }

    /// As stored: those that don't stand from [`Standing::FIRST_FALLEN`] on.
    pub const fn code(self) -> i32 {
        match self {
            Self::Claimed => 1,
            Self::Approved => 11,
            Self::Stopping => 12,
            Self::Double => 51,
            Self::Stopped => 61,
            Self::Cut => 62,
            Self::Voided => 63,
        }
    }
}

impl TryFrom<i32> for Standing {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|standing| standing.code() == code).ok_or(UnknownCode { of: "standing of a unit", code })
    }
}

/// One unit of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// What it covers.
    pub kind: Kind,
    /// Its first month. Of a term the first calendar month: which of its months are paid is policy, and may be another by region and date.
    pub first: Month,
    /// What it comes to.
    pub fen: Fen,
}

/// The units of an entry, in order. What they come to is the entry's amount, to the fen.
pub fn units(paid: Paid, term: Term, months: &[Month], amount: Fen) -> Vec<Unit> {
    let kind = Kind::of(paid);
    let mut firsts: Vec<Month> = match kind {
        Kind::Month => months.to_vec(),
        Kind::Term => vec![Month::of(term.first_day())],
        Kind::Year => vec![first_of_year(term)],
    };
    firsts.sort_unstable();
    firsts.dedup();
    let shares = shares(amount, firsts.len());
    firsts.into_iter().zip(shares).map(|(first, fen)| Unit { kind, first, fen }).collect()
}

/// The first calendar month of the school year that a term is of.
fn first_of_year(term: Term) -> Month {
    let first = Month::of(term.first_day());
    if first.month() >= 8 { first } else { Month::new(first.year() - 1, 8).unwrap_or(first) }
}

/// An amount in so many parts that differ by one fen at most, larger ones first.
fn shares(amount: Fen, parts: usize) -> impl Iterator<Item = Fen> {
    let count = i64::try_from(parts).unwrap_or(i64::MAX).max(1);
    let (each, rest) = (amount.0.div_euclid(count), amount.0.rem_euclid(count));
    (0..count).map(move |part| Fen(each + i64::from(part < rest)))
}

/// What can be drawn once: whose, of which scheme, for what.
pub type Once = (Uuid, SchemeCode, Kind, Month);

/// An entry whose units somebody wants approved.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Entry.
    pub entry: Uuid,
    /// Whose it is.
    pub subject: Uuid,
    /// Scheme.
    pub scheme: SchemeCode,
    /// What it covers.
    pub units: Vec<(Kind, Month)>,
}

impl Wanted {
    fn once(&self, (kind, first): (Kind, Month)) -> Once {
        (self.subject, self.scheme, kind, first)
    }
}

/// A unit and by whose approved one it is taken, if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Entry.
    pub entry: Uuid,
    /// Whose it is.
    pub subject: Uuid,
    /// First month.
    pub first: Month,
    /// The entry that has it.
    pub taken_by: Option<Uuid>,
}

/// Which entries can be approved beside what is, and of the others each unit. An entry is approved whole or not at all; those that come
/// first take before those that come later.
pub fn approve(wanted: &[Wanted], approved: &mut BTreeMap<Once, Uuid>) -> (Vec<(Uuid, Uuid)>, Vec<Settled>) {
    let (mut can, mut refused) = (Vec::new(), Vec::new());
    for entry in wanted {
        let taken = |unit: &(Kind, Month)| approved.get(&entry.once(*unit)).copied().filter(|by| *by != entry.entry);
        if entry.units.iter().any(|unit| taken(unit).is_some()) {
            let settled = |unit: &(Kind, Month)| Settled { entry: entry.entry, subject: entry.subject, first: unit.1, taken_by: taken(unit) };
            refused.extend(entry.units.iter().map(settled));
        } else {
            approved.extend(entry.units.iter().map(|unit| (entry.once(*unit), entry.entry)));
            can.push((entry.entry, entry.subject));
        }
    }
    (can, refused)
}

/// Entries of which somebody has a unit.
pub fn taken(wanted: &[Wanted], approved: &BTreeMap<Once, Uuid>) -> HashSet<Uuid> {
    let is_taken = |entry: &&Wanted| entry.units.iter().any(|unit| approved.get(&entry.once(*unit)).is_some_and(|by| *by != entry.entry));
    wanted.iter().filter(is_taken).map(|entry| entry.entry).collect()
}

/// What was approved before units were rows: each unit is whose it was first. Those that come first were recorded first.
pub fn tell_doubles(wanted: &[Wanted], approved: &mut BTreeMap<Once, Uuid>) -> Vec<Settled> {
    let mut settled = Vec::new();
    for entry in wanted {
        for unit in &entry.units {
            let first = *approved.entry(entry.once(*unit)).or_insert(entry.entry);
            settled.push(Settled { entry: entry.entry, subject: entry.subject, first: unit.1, taken_by: (first != entry.entry).then_some(first) });
        }
    }
    settled
}

/// A unit that is taken, as it is told: in words, and on which list of the own school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What it covers, in Chinese.
    pub unit: String,
    /// The list, if it is the own school's.
    pub own_list: Option<String>,
}

/// What a unit covers, in Chinese.
pub fn unit_name(kind: Kind, first: Month) -> String {
    match kind {
        Kind::Month => format!("{}年{}月", first.year(), first.month()),
        Kind::Term => Term::of(first.first_day()).name(),
        Kind::Year => format!("{}—{}学年", first.year(), first.year() + 1),
    }
}

/// Why an entry can't be approved and what to do, in Chinese. Another school's list is never named.
pub fn told(taken: &[Taken]) -> String {
    let mut by_list: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for taken in taken {
        by_list.entry(taken.own_list.as_deref()).or_default().push(&taken.unit);
    }
    let parts = by_list.iter().map(|(list, units)| match list {
        Some(list) => format!("{}已在本校“{list}”中审核通过", units.join("、")),
        None => format!("{}已在其他学校的名单中审核通过", units.join("、")),
    });
    format!("{}，同一项目不能重复享受：请核实，应由本条享受的请联系主管部门，不应享受的退回本条", parts.collect::<Vec<_>>().join("；"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xuezhu_domain::Season;

    use super::*;

    fn autumn() -> Term {
        Term::new(2026, Season::Autumn)
    }

    fn month(number: i32) -> Month {
        number.try_into().expect("a month")
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn codes_are_read_back_and_what_does_not_stand_comes_last() {
        for standing in Standing::ALL {
            assert_eq!(Standing::try_from(standing.code()).ok(), Some(standing));
            assert_eq!(standing.stands(), standing.code() < Standing::FIRST_FALLEN);
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::try_from(kind.code()).ok(), Some(kind));
        }
        assert!(Standing::try_from(0).is_err() && Kind::try_from(0).is_err());
    }

    #[test]
    fn a_grant_goes_by_month_and_a_waiver_by_term_whichever_months_are_paid() {
        let months = [month(202_701), month(202_609), month(202_609)];
        let of = |paid, months: &[Month]| {
            units(paid, autumn(), months, Fen(1_001)).iter().map(|unit| (unit.kind, unit.first.number(), unit.fen.0)).collect::<Vec<_>>()
        };
        assert_eq!(of(Paid::Month, &months), [(Kind::Month, 202_609, 501), (Kind::Month, 202_701, 500)]);
        assert_eq!(of(Paid::Term, &months), [(Kind::Term, 202_608, 1_001)]);
        assert_eq!(of(Paid::Term, &months[..1]), of(Paid::Term, &months));
    }

    #[test]
    fn a_school_year_begins_in_august() {
        assert_eq!(first_of_year(autumn()), first_of_year(Term::new(2027, Season::Spring)));
        assert_eq!(first_of_year(autumn()).number(), 202_608);
        assert_eq!(unit_name(Kind::Year, first_of_year(autumn())), "2026—2027学年");
        assert_eq!(unit_name(Kind::Term, month(202_608)), autumn().name());
        assert_eq!(unit_name(Kind::Term, month(202_702)), autumn().next().name());
        assert_eq!(unit_name(Kind::Month, month(202_701)), "2027年1月");
    }

    proptest! {
        #[test]
        fn what_the_units_come_to_is_the_entrys_amount(paid in prop::sample::select(&[Paid::Month, Paid::Term][..]), months in prop::collection::vec(0..12_i32, 1..12), amount in 0..5_000_000_i64) {
            let months: Vec<Month> = months.into_iter().map(|at| month(202_601 + at)).collect();
            let units = units(paid, autumn(), &months, Fen(amount));
            prop_assert_eq!(units.iter().map(|unit| unit.fen.0).sum::<i64>(), amount);
            let fen = || units.iter().map(|unit| unit.fen.0);
            prop_assert!(fen().max().unwrap_or(0) - fen().min().unwrap_or(0) <= 1);
            prop_assert!(units.is_sorted_by(|a, b| a.first < b.first), "each once, in order");
        }

        #[test]
        fn whatever_is_wanted_no_unit_is_approved_twice(wanted in prop::collection::vec((0..3_u128, prop::collection::btree_set(1..6_i32, 1..4)), 0..12)) {
            let wanted: Vec<Wanted> = wanted.into_iter().enumerate().map(|(at, (subject, months))| Wanted {
                entry: id(100 + at as u128),
                subject: id(subject),
                scheme: SchemeCode::GRANT,
                units: months.into_iter().map(|at| (Kind::Month, month(202_600 + at))).collect(),
            }).collect();
            let units_of = |entry: Uuid| wanted.iter().find(|wanted| wanted.entry == entry).expect("is wanted").units.clone();
            let (can, refused) = approve(&wanted, &mut BTreeMap::new());
            let approved: Vec<_> = can.iter().flat_map(|(entry, subject)| units_of(*entry).into_iter().map(move |unit| (*subject, unit))).collect();
            prop_assert_eq!(approved.iter().collect::<std::collections::HashSet<_>>().len(), approved.len());
            for entry in wanted.iter().filter(|entry| !can.iter().any(|(can, _)| *can == entry.entry)) {
                let of = || refused.iter().filter(|unit| unit.entry == entry.entry);
                prop_assert_eq!(of().count(), entry.units.len());
                prop_assert!(of().any(|unit| unit.taken_by.is_some_and(|by| can.iter().any(|(can, _)| *can == by))), "by one that was approved");
            }
            // Unit by unit, each has exactly one to whom it belongs, the first.
            let settled = tell_doubles(&wanted, &mut BTreeMap::new());
            let firsts = settled.iter().filter(|unit| unit.taken_by.is_none()).map(|unit| (unit.subject, unit.first)).collect::<Vec<_>>();
            let all = settled.iter().map(|unit| (unit.subject, unit.first)).collect::<std::collections::HashSet<_>>();
            prop_assert_eq!(firsts.len(), all.len());
        }
    }

    fn wanted(entry: u128, months: &[i32]) -> Wanted {
        Wanted { entry: id(entry), subject: id(1), scheme: SchemeCode::GRANT, units: months.iter().map(|number| (Kind::Month, month(*number))).collect() }
    }

    #[test]
    fn an_entry_is_approved_whole_or_not_at_all() {
        let mut approved = BTreeMap::from([((id(1), SchemeCode::GRANT, Kind::Month, month(202_609)), id(9))]);
        let (can, refused) = approve(&[wanted(2, &[202_609, 202_610]), wanted(3, &[202_610, 202_611]), wanted(4, &[202_611])], &mut approved);
        assert_eq!(can, [(id(3), id(1))], "what the refused one would have had is free");
        let told: Vec<_> = refused.iter().map(|unit| (unit.entry, unit.first.number(), unit.taken_by)).collect();
        assert_eq!(told, [(id(2), 202_609, Some(id(9))), (id(2), 202_610, None), (id(4), 202_611, Some(id(3)))]);
        let (again, refused) = approve(&[wanted(3, &[202_610, 202_611])], &mut approved);
        assert_eq!((again.len(), refused.len()), (1, 0), "its own units keep nobody from being approved");
    }

    #[test]
    fn another_person_another_scheme_another_kind_are_others() {
        let once = (id(1), SchemeCode::GRANT, Kind::Month, month(202_608));
        let others = [
            (id(2), once.1, once.2, once.3),
            (once.0, SchemeCode::TUITION_WAIVER, once.2, once.3),
            (once.0, once.1, Kind::Term, once.3),
            (once.0, once.1, once.2, month(202_609)),
        ];
        for other in others {
            let (can, _) = approve(&[wanted(3, &[202_608])], &mut BTreeMap::from([(other, id(9))]));
            assert_eq!(can.len(), 1, "{other:?}");
        }
    }

    #[test]
    fn of_what_was_approved_twice_the_months_that_are_double_alone_fall() {
        let settled = tell_doubles(&[wanted(2, &[202_609, 202_610]), wanted(3, &[202_610, 202_611])], &mut BTreeMap::new());
        let told: Vec<_> = settled.iter().map(|unit| (unit.entry, unit.first.number(), unit.taken_by)).collect();
        assert_eq!(told, [(id(2), 202_609, None), (id(2), 202_610, None), (id(3), 202_610, Some(id(2))), (id(3), 202_611, None)]);
    }

    #[test]
    fn what_is_told_names_the_months_and_only_lists_of_the_own_school() {
        let taken = |unit: &str, own: Option<&str>| Taken { unit: unit.to_owned(), own_list: own.map(str::to_owned) };
        let text = told(&[taken("2026年9月", Some("主名单")), taken("2026年10月", Some("主名单")), taken("2026年11月", None)]);
        assert!(text.contains("2026年9月、2026年10月已在本校“主名单”中审核通过") && text.contains("2026年11月已在其他学校的名单中审核通过"), "{text}");
        assert!(!told(&[taken("2026年11月", None)]).contains('“'));
    }
}
