//! Tables of what is decided on keys; what a whole history comes to is compared with a naive reference, end to end.

use xuezhu_domain::{Bond, BondKind, RegistryAnswer};

use super::*;
use crate::{policy::SchemeCode, reconciliation::case::EnrollmentSide};

const HERE: &str = "3643000001";
const ELSEWHERE: &str = "3643000002";
const NAME: &str = "王甲";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn key(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn month(number: i32) -> Month {
    Month::try_from(number).expect("a month")
}

fn ended(value: Uuid, kind: BondKind, end: &str) -> Bond<Uuid> {
    Bond { value, kind, end_recorded: Some(day(end)) }
}

fn person(keys: Vec<Bond<Uuid>>) -> Person {
    Person {
        person: key(1),
        keys,
        names: vec![Bond::current((NAME.into(), NAME.into()))],
        sex: None,
        birth_date: day("2010-01-01"),
        registry: RegistryAnswer::NotAsked,
        subject: key(2),
    }
}

fn waiting(claimed: Uuid, name: &str, school: &str) -> Enrollment {
    Enrollment {
        enrollment: key(100),
        school: school.into(),
        stage: Stage::Submitted,
        claim_key: claimed,
        claim_name: name.into(),
        person: None,
        entry_date: day("2026-09-01"),
        approved_day: None,
        timeline: Vec::new(),
    }
}

fn claim(entry: u128, claimed: Uuid, school: &str, months: &[i32], recorded: &str, at: i64) -> Claim {
    Claim {
        entry: key(entry),
        list: key(entry + 1000),
        school: school.into(),
        scheme: SchemeCode::Grant,
        term: "2026-AUTUMN".parse().expect("a term"),
        key: claimed,
        name: NAME.into(),
        name_comparable: NAME.into(),
        sex: None,
        birth_date: None,
        months: months.iter().copied().map(month).collect(),
        month_fen: Fen(23_000),
        amount: Fen(23_000 * i64::try_from(months.len()).expect("few")),
        stage: ClaimStage::Submitted,
        recorded_day: day(recorded),
        recorded_at_us: at,
        subject: key(3),
    }
}

fn judged(case: &PersonCase) -> Vec<Finding> {
    judge(case, &Policies::load(None).expect("built in"), day("2026-11-20")).findings
}

/// What is found of one entry about the place, with what is shown of places.
fn of_place(persons: Vec<Person>, enrollments: Vec<Enrollment>, claim: Claim) -> (Rule, Vec<EnrollmentSide>) {
    let found = judged(&PersonCase { persons, enrollments, claims: vec![claim] });
    let [finding] = &found[..] else { panic!("one finding: {found:?}") };
    (finding.rule, finding.evidence.enrollments.clone())
}

#[test]
fn who_waits_under_a_number_of_before_is_met_as_far_as_that_number_is_the_persons() {
    use Rule::{NoEnrollment, NotYetRegistered};
    let (present, before, first, stranger) = (key(10), key(11), key(12), key(13));
    let keys = |kind| vec![Bond::current(present), ended(before, kind, "2026-10-15"), ended(first, kind, "2026-09-20")];
    // Number of the entry, day on which it was recorded, number of who waits, kind of the numbers of before, what is found.
    let cases = [
        // Listed under the present number after the correction, waiting since before it.
        (present, "2026-11-10", before, BondKind::Former, NotYetRegistered),
        (present, "2026-11-10", first, BondKind::Former, NotYetRegistered),
        // A number that never was the person's may be somebody else's, once that was recorded.
        (present, "2026-11-10", before, BondKind::Mistyped, NoEnrollment),
        (present, "2026-10-16", before, BondKind::Mistyped, NoEnrollment),
        (present, "2026-10-15", before, BondKind::Mistyped, NotYetRegistered),
        // Listed under one number of before, waiting under another.
        (before, "2026-10-01", first, BondKind::Former, NotYetRegistered),
        (before, "2026-10-01", first, BondKind::Mistyped, NoEnrollment),
        (before, "2026-09-20", first, BondKind::Mistyped, NotYetRegistered),
        (first, "2026-09-20", before, BondKind::Mistyped, NotYetRegistered),
        (first, "2026-09-20", present, BondKind::Mistyped, NotYetRegistered),
        // Of the entry's own number, whatever came later.
        (before, "2026-10-15", before, BondKind::Mistyped, NotYetRegistered),
        (present, "2026-11-10", present, BondKind::Mistyped, NotYetRegistered),
        (present, "2026-11-10", stranger, BondKind::Former, NoEnrollment),
    ];
    for (index, (listed, recorded, waits_as, kind, expected)) in cases.into_iter().enumerate() {
        let entry = claim(20, listed, HERE, &[202_609], recorded, 1);
        let (rule, shown) = of_place(vec![person(keys(kind))], vec![waiting(waits_as, NAME, HERE)], entry);
        assert_eq!(rule, expected, "{index}");
        // What decided is shown, and what it is.
        let met = expected == NotYetRegistered;
        assert_eq!(
            shown.iter().map(|side| (side.stage, side.other_number)).collect::<Vec<_>>(),
            if met { vec![(Stage::Submitted, waits_as != listed)] } else { vec![] },
            "{index}"
        );
    }
}

#[test]
fn who_waits_elsewhere_or_is_called_otherwise_is_not_met_under_another_number() {
    let keys = || vec![Bond::current(key(10)), ended(key(11), BondKind::Former, "2026-10-15")];
    let entry = || claim(20, key(10), HERE, &[202_609], "2026-11-10", 1);
    for waits in [waiting(key(11), "李乙", HERE), waiting(key(11), NAME, ELSEWHERE)] {
        assert_eq!(of_place(vec![person(keys())], vec![waits], entry()), (Rule::NoEnrollment, vec![]));
    }
    // Where nobody holds a number, it alone says who is meant.
    assert_eq!(of_place(vec![], vec![waiting(key(11), NAME, HERE)], entry()).0, Rule::NoEnrollment);
    assert_eq!(of_place(vec![], vec![waiting(key(10), "李乙", HERE)], entry()).0, Rule::NotYetRegistered);
}
