//! Tables of what is decided on keys and on rivals; what a whole history comes to is compared with a naive reference, end to end.

use xuezhu_domain::{Bond, BondKind, Fen, RegistryAnswer, enrollment::Span};

use super::*;
use crate::{
    case::{Account, EnrollmentSide, Excess, Lack, Level, Payee, Place, SchoolSide, Statement, StatementKind},
    policy::{Ground, SchemeCode},
};

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
        claimed_day: None,
        timeline: Vec::new(),
    }
}

/// A place of the person at a school, from one day to another.
fn place(id: u128, school: &str, from: &str, to: Option<&str>) -> Enrollment {
    let what = Place {
        state: PeriodState::InSchool,
        class_name: "1班".into(),
        major: "2010-010200".into(),
        study_form: "全日制".into(),
        household: "农业户口".into(),
        residence: "农村".into(),
        registered_region: "430102".into(),
        urban_rural: String::new(),
        special_groups: String::new(),
    };
    Enrollment {
        enrollment: key(id),
        stage: Stage::Approved,
        person: Some(key(1)),
        entry_date: day(from),
        approved_day: Some(day(from)),
        timeline: vec![Span { from: day(from), to: to.map(day), state: what }],
        ..waiting(key(10), NAME, school)
    }
}

fn claim(entry: u128, claimed: Uuid, school: &str, months: &[i32], recorded: &str, at: i64) -> Claim {
    Claim {
        entry: key(entry),
        list: key(entry + 1000),
        school: school.into(),
        scheme: SchemeCode::GRANT,
        policy: crate::policy::FIRST_VERSION,
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
        attested: false,
        recorded_day: day(recorded),
        recorded_at_us: at,
        subject: key(3),
        excess: None,
        account: None,
    }
}

fn judged(case: &PersonCase) -> Vec<Finding> {
    judge(case, &Policies::built_in(), day("2026-11-20")).findings
}

/// What is found of one entry about the place, with what is shown of places.
fn of_place(persons: Vec<Person>, enrollments: Vec<Enrollment>, claim: Claim) -> (Rule, Vec<EnrollmentSide>) {
    let found = judged(&PersonCase { persons, enrollments, claims: vec![claim], ..PersonCase::default() });
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
fn what_a_submission_means_goes_by_the_day_on_which_it_was_submitted() {
    use Rule::{NoEnrollment, NotYetRegistered};
    let (present, before) = (key(10), key(11));
    // Day of the submission, kind of the number of before, whose end was recorded on 15 October; the entry is of November.
    for (submitted, kind, expected) in [
        ("2026-10-14", BondKind::Mistyped, NotYetRegistered),
        ("2026-10-15", BondKind::Mistyped, NotYetRegistered),
        ("2026-10-16", BondKind::Mistyped, NoEnrollment),
        ("2026-10-16", BondKind::Former, NotYetRegistered),
    ] {
        let keys = vec![Bond::current(present), ended(before, kind, "2026-10-15")];
        let waits = Enrollment { claimed_day: Some(day(submitted)), ..waiting(before, NAME, HERE) };
        let entry = claim(20, present, HERE, &[202_609], "2026-11-10", 1);
        assert_eq!(of_place(vec![person(keys)], vec![waits], entry).0, expected, "{submitted} {kind:?}");
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

/// Entries with a duplicate in a month.
fn flagged(case: &PersonCase, month_number: i32) -> Vec<u128> {
    let found = judged(case);
    let lost = found.iter().filter(|finding| finding.rule == Rule::DuplicateAward && finding.months.contains(&month(month_number)));
    lost.map(|finding| if let Subject::Entry(entry) = finding.subject { entry.as_u128() } else { 0 }).collect()
}

#[test]
fn of_several_entries_of_a_month_the_supported_one_stands_of_several_supported_the_earliest_of_those() {
    /// What, places, entries, and which of them lose.
    type Case = (&'static str, Vec<Enrollment>, Vec<Claim>, Vec<u128>);
    let months = [202_609, 202_610, 202_611];
    let entry = |id: u128, school: &str, at: i64| claim(id, key(10), school, &months, "2026-09-10", at);
    let case = |enrollments: Vec<Enrollment>, claims: Vec<Claim>| PersonCase {
        persons: vec![person(vec![Bond::current(key(10))])],
        enrollments,
        claims,
        ..PersonCase::default()
    };
    let (here, elsewhere) = (|| place(101, HERE, "2026-09-01", None), || place(102, ELSEWHERE, "2026-09-01", None));
    // Supported in no month, in one school, or in both: by sources that disagree.
    let cases: [Case; 8] = [
        ("one supported, recorded later", vec![here()], vec![entry(21, ELSEWHERE, 1), entry(22, HERE, 2)], vec![21]),
        ("one supported, recorded first", vec![here()], vec![entry(21, ELSEWHERE, 2), entry(22, HERE, 1)], vec![21]),
        ("none supported", vec![], vec![entry(21, ELSEWHERE, 2), entry(22, HERE, 1)], vec![21]),
        ("two at the school, a stranger's first of all", vec![here()], vec![entry(21, ELSEWHERE, 1), entry(22, HERE, 3), entry(23, HERE, 2)], vec![21, 22]),
        ("two at the school, a stranger's last", vec![here()], vec![entry(21, ELSEWHERE, 9), entry(22, HERE, 3), entry(23, HERE, 2)], vec![21, 22]),
        ("a school each", vec![here(), elsewhere()], vec![entry(21, ELSEWHERE, 2), entry(22, HERE, 1)], vec![21]),
        (
            "a school each, and a third school's first",
            vec![here(), elsewhere()],
            vec![entry(21, ELSEWHERE, 3), entry(22, HERE, 2), entry(23, "3643000003", 1)],
            vec![21, 23],
        ),
        ("at one moment, by their ids", vec![here()], vec![entry(20, ELSEWHERE, 1), entry(22, HERE, 1), entry(21, HERE, 1)], vec![20, 22]),
    ];
    for (what, enrollments, claims, expected) in cases {
        assert_eq!(flagged(&case(enrollments, claims), 202_610), expected, "{what}");
    }
    // Month by month: who moved in October is supported here up to it and elsewhere after it.
    let moved = vec![place(101, HERE, "2026-09-01", Some("2026-10-10")), place(102, ELSEWHERE, "2026-10-10", None)];
    let claims = vec![entry(21, ELSEWHERE, 1), entry(22, HERE, 3), entry(23, HERE, 2)];
    let case = case(moved, claims);
    assert_eq!(months.map(|month| flagged(&case, month)), [vec![21, 22], vec![21, 22], vec![22, 23]]);
}

#[test]
fn what_was_sent_back_neither_wins_nor_loses() {
    let mut first = claim(21, key(10), HERE, &[202_610], "2026-09-10", 1);
    first.stage = ClaimStage::SentBack;
    let claims = vec![first, claim(22, key(10), HERE, &[202_610], "2026-09-10", 2)];
    let case = PersonCase {
        persons: vec![person(vec![Bond::current(key(10))])],
        enrollments: vec![place(101, HERE, "2026-09-01", None)],
        claims,
        ..PersonCase::default()
    };
    assert_eq!(flagged(&case, 202_610), Vec::<u128>::new());
}

/// A level of the person, from one day until another.
fn level(name: &str, from: &str, to: &str) -> Level {
    Level { key: key(10), name_comparable: NAME.into(), recorded_day: day("2026-09-20"), level: name.into(), from: day(from), to: day(to) }
}

/// A student of a major that is not agricultural, who lives in a city.
fn urban(id: u128) -> Enrollment {
    let mut place = place(id, HERE, "2026-09-01", None);
    for span in &mut place.timeline {
        span.state.major = "2010-100100".into();
        span.state.household = "非农业户口".into();
        span.state.residence = "城市".into();
    }
    place
}

#[test]
fn what_a_policy_does_not_give_is_found_month_by_month() {
    const AUTUMN: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
    let year = |name: &str| level(name, "2026-08-01", "2027-08-01");
    let agricultural = place(100, HERE, "2026-09-01", None);
    let part_time = |mut place: Enrollment| {
        place.timeline[0].state.study_form = "非全日制".into();
        place
    };
    let fourth = Enrollment { entry_date: day("2023-09-01"), ..agricultural.clone() };
    // Agricultural, and from the day on which the major changed not.
    let changed = {
        let mut place = agricultural.clone();
        let mut after = urban(100).timeline[0].clone();
        (place.timeline[0].to, after.from) = (Some(day("2026-11-16")), day("2026-11-16"));
        place.timeline.push(after);
        place
    };
    type Expected<'a> = &'a [(&'a str, &'a [i32])];
    let cases: [(Enrollment, Vec<Level>, Expected); 11] = [
        (agricultural.clone(), vec![], &[]),
        (urban(100), vec![], &[("NEEDS_HARDSHIP", &AUTUMN)]),
        (urban(100), vec![year("困难")], &[]),
        // A level that came in the midst of a term, or ended.
        (urban(100), vec![level("困难", "2026-11-01", "2027-08-01")], &[("NEEDS_HARDSHIP", &AUTUMN[..2])]),
        (urban(100), vec![year("困难"), level("", "2026-12-01", "2027-08-01")], &[("NEEDS_HARDSHIP", &AUTUMN[3..])]),
        // What was determined last holds.
        (urban(100), vec![level("", "2026-12-01", "2027-08-01"), year("困难")], &[]),
        (urban(100), vec![Level { name_comparable: "李娜".into(), key: key(77), ..year("困难") }], &[("NEEDS_HARDSHIP", &AUTUMN)]),
        (part_time(agricultural.clone()), vec![], &[("NOT_FULL_TIME", &AUTUMN)]),
        (part_time(urban(100)), vec![year("困难")], &[("NOT_FULL_TIME", &AUTUMN)]),
        (fourth, vec![year("困难")], &[("GRADE_NOT_ELIGIBLE", &AUTUMN)]),
        (changed, vec![], &[("NEEDS_HARDSHIP", &AUTUMN[3..])]),
    ];
    for (place, levels, expected) in cases {
        let case = PersonCase {
            persons: vec![person(vec![Bond::current(key(10))])],
            enrollments: vec![place],
            claims: vec![claim(1, key(10), HERE, &AUTUMN, "2026-10-08", 1)],
            levels: levels.clone(),
            ..PersonCase::default()
        };
        let found = judged(&case);
        let excluded: Vec<(&str, Vec<i32>)> = found
            .iter()
            .inspect(|finding| assert_eq!(finding.rule, Rule::NotEligible))
            .flat_map(|finding| &finding.evidence.excluded)
            .map(|excluded| (excluded.why.as_str(), excluded.months.iter().map(|month| month.number()).collect()))
            .collect();
        let expected: Vec<(&str, Vec<i32>)> = expected.iter().map(|(why, months)| (*why, months.to_vec())).collect();
        assert_eq!(excluded, expected, "{levels:?}");
        // By a policy that lets a list name whom it likes, nothing is found.
        let before = judge(&case, &Policies::always(Policy::of_before()), day("2026-11-20"));
        assert!(before.findings.is_empty(), "{:?}", before.findings);
    }
}

/// The policy that comes with the program, changed.
fn changed(changes: &[(&str, &str)]) -> Policies {
    let text = changes.iter().fold(crate::policy::file::BUILT_IN.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    Policies::always(Policy::parse(&text).expect("is sound"))
}

#[test]
fn a_private_school_is_given_what_it_is_listed_for() {
    const AUTUMN: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
    let list = |regions: &str, schools: &str, span: &str| {
        format!("[[private]]\nschemes = [\"GRANT\"]\nregions = [{regions}]\n{span}\nschools = [{schools}]\nsource = \"省民办学校名单\"\n\n")
    };
    let always = "from = \"2020-AUTUMN\"";
    let (province, other) = (list("\"43\"", "\"3643000002\"", always), list("\"42\"", "", always));
    // What the policy says, whether the school is private, whether it is let in.
    let cases = [
        (String::new(), true, true),
        (province.clone(), false, true),
        (province.clone(), true, false),
        (list("\"43\"", "\"3643000001\"", always), true, true),
        (list("", "", always), true, false),
        // What is said for the smallest region holds.
        (province.clone() + &list("\"4301\"", "\"3643000001\"", always), true, true),
        (province.clone() + &list("", "\"3643000001\"", always), true, false),
        (other, true, true),
        (list("\"43\"", "", "from = \"2020-AUTUMN\"\nto = \"2026-SPRING\""), true, true),
        (list("\"43\"", "", "from = \"2027-SPRING\""), true, true),
    ];
    for (said, is_private, is_in) in cases {
        let policies = changed(&[("[[scheme]]\ncode = \"GRANT\"", &format!("{said}[[scheme]]\ncode = \"GRANT\""))]);
        let mut case = PersonCase {
            persons: vec![person(vec![Bond::current(key(10))])],
            enrollments: vec![place(100, HERE, "2026-09-01", None)],
            claims: vec![Claim { attested: false, ..claim(1, key(10), HERE, &AUTUMN, "2026-10-08", 1) }],
            ..PersonCase::default()
        };
        case.schools.insert(HERE.into(), SchoolSide { region: "430102".into(), is_private });
        let found = judge(&case, &policies, day("2026-11-20")).findings;
        let excluded: Vec<_> =
            found.iter().flat_map(|finding| &finding.evidence.excluded).map(|excluded| (excluded.why.as_str(), excluded.months.len())).collect();
        assert_eq!(excluded, if is_in { vec![] } else { vec![("SCHOOL_NOT_LISTED", 5)] }, "{said}");
        assert!(found.iter().all(|finding| finding.rule == Rule::NotEligible && finding.evidence.policy_source == "省民办学校名单"), "{found:?}");
        // Who is entitled to nothing there is missing on no list of it; a waiver is another scheme.
        case.claims.clear();
        let missing: Vec<Subject> = judge(&case, &policies, day("2026-12-20")).findings.into_iter().map(|finding| finding.subject).collect();
        let of = |code: SchemeCode| missing.iter().any(|subject| matches!(subject, Subject::Omission { scheme, .. } if *scheme == code));
        assert_eq!((of(SchemeCode::GRANT), of(SchemeCode::TUITION_WAIVER)), (is_in, true), "{said}");
    }
}

#[test]
fn aid_stops_with_the_month_after_or_with_the_month_in_which_somebody_leaves() {
    const AUTUMN: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
    let until = |id: u128, from: &str, to: Option<&str>| {
        let mut place = place(id, HERE, from, to);
        if let Some(to) = to {
            let after = Span { from: day(to), to: None, state: Place { state: PeriodState::Withdrawn, ..place.timeline[0].state.clone() } };
            place.timeline.push(after);
        }
        place
    };
    let elsewhere = place(101, ELSEWHERE, "2026-11-16", None);
    let next = Policies::built_in();
    let same = changed(&[("count_day = \"09-30\"", "count_day = \"09-30\"\nstop = \"SAME_MONTH\"")]);
    // Places, and the months that are held by what each policy says.
    type Held<'a> = &'a [i32];
    let cases: [(Vec<Enrollment>, Held, Held); 7] = [
        (vec![until(100, "2026-09-01", None)], &[], &[]),
        (vec![until(100, "2026-09-01", Some("2026-11-16"))], &AUTUMN[3..], &AUTUMN[2..]),
        // Who is there for the whole of the month is given it.
        (vec![until(100, "2026-09-01", Some("2026-12-01"))], &AUTUMN[3..], &AUTUMN[3..]),
        (vec![until(100, "2026-09-01", Some("2026-11-30"))], &AUTUMN[3..], &AUTUMN[2..]),
        // Away for some days in the midst of a month.
        (vec![until(100, "2026-09-01", Some("2026-11-10")), until(102, "2026-11-20", None)], &[], &[]),
        // Who goes to another school is in school when the month ends: it stays with the school at which it began.
        (vec![until(100, "2026-09-01", Some("2026-11-16")), elsewhere], &AUTUMN[3..], &AUTUMN[3..]),
        // The first month goes by the first day of it in school, and ends like any other.
        (vec![until(100, "2026-09-10", Some("2026-09-20"))], &AUTUMN[1..], &AUTUMN),
    ];
    for (places, by_next, by_same) in cases {
        let case = PersonCase {
            persons: vec![person(vec![Bond::current(key(10))])],
            enrollments: places,
            claims: vec![claim(1, key(10), HERE, &AUTUMN, "2026-10-08", 1)],
            ..PersonCase::default()
        };
        for (policies, held) in [(&next, by_next), (&same, by_same)] {
            let found = judge(&case, policies, day("2026-11-20")).findings;
            // Whichever month it takes first, what they have in common is the absence itself.
            let left = case.enrollments.iter().filter(|place| place.school == HERE).filter_map(|place| place.timeline[0].to).max();
            for finding in found.iter().filter(|finding| finding.rule == Rule::NotValidInTerm) {
                assert_eq!(finding.cause, Cause::Absent { subject: key(2), since: left }, "{:?}", case.enrollments);
            }
            let months: BTreeSet<i32> = found.iter().flat_map(|finding| &finding.months).map(|month| month.number()).collect();
            assert_eq!(months, held.iter().copied().collect(), "{:?}", case.enrollments);
        }
    }
}

/// Who left after the count day of a term of which aid then gives them nothing is missing on no list of it.
#[test]
fn whoever_has_no_month_of_a_term_is_missing_on_no_list_of_it() {
    let early = [("count_day = \"09-30\"", "count_day = \"09-15\"\nstop = \"SAME_MONTH\"")];
    for (left, missing) in [("2026-09-20", false), ("2026-10-02", true)] {
        let case = PersonCase { persons: vec![person(vec![Bond::current(key(10))])], enrollments: vec![gone(left)], ..PersonCase::default() };
        let found = judge(&case, &changed(&early), day("2026-12-20")).findings;
        let grant = found.iter().any(|finding| matches!(finding.subject, Subject::Omission { scheme: SchemeCode::GRANT, .. }));
        assert_eq!(grant, missing, "{left}: {found:?}");
        // By the term as a whole they were there.
        assert!(found.iter().any(|finding| matches!(finding.subject, Subject::Omission { scheme: SchemeCode::TUITION_WAIVER, .. })), "{left}");
    }
}

/// In school from September until a day, and gone from then on.
fn gone(left: &str) -> Enrollment {
    let mut place = place(100, HERE, "2026-09-01", Some(left));
    let after = Span { from: day(left), to: None, state: Place { state: PeriodState::Withdrawn, ..place.timeline[0].state.clone() } };
    place.timeline.push(after);
    place
}

/// What excludes a student at any school stands beside that theirs is not let in, and they take a place where they are let in all the same.
#[test]
fn a_school_that_is_not_let_in_hides_nothing_of_the_student() {
    const AUTUMN: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
    let said = "[[private]]\nschemes = [\"GRANT\"]\nfrom = \"2020-AUTUMN\"\nschools = []\nsource = \"省名单\"\n\n[[scheme]]\ncode = \"GRANT\"";
    let policies = changed(&[("[[scheme]]\ncode = \"GRANT\"", said)]);
    for (place, level_of, whys, grounds) in [
        (place(100, HERE, "2026-09-01", None), false, &["SCHOOL_NOT_LISTED"][..], &[Ground::AgriculturalMajor][..]),
        (urban(100), false, &["SCHOOL_NOT_LISTED", "NEEDS_HARDSHIP"], &[]),
        (urban(100), true, &["SCHOOL_NOT_LISTED"], &[Ground::Hardship]),
    ] {
        let mut case = PersonCase {
            persons: vec![person(vec![Bond::current(key(10))])],
            enrollments: vec![place],
            claims: vec![claim(1, key(10), HERE, &AUTUMN, "2026-10-08", 1)],
            levels: if level_of { vec![level("困难", "2026-08-01", "2027-08-01")] } else { Vec::new() },
            ..PersonCase::default()
        };
        case.schools.insert(HERE.into(), SchoolSide { region: "430102".into(), is_private: true });
        let found = judge(&case, &policies, day("2026-11-20")).findings;
        let told: Vec<&str> = found.iter().flat_map(|finding| &finding.evidence.excluded).map(|excluded| excluded.why.as_str()).collect();
        assert_eq!(told, whys);
        assert!(found.iter().all(|finding| finding.months.len() == 5), "{found:?}");
        let standing = standing_in(&case, &policies, &case.claims[0]).expect("is known");
        assert_eq!(standing.grounds.concat(), grounds);
    }
}

/// The policy that comes with the program, with tiers for some alone.
fn with_tiers_for_some() -> Policies {
    let text = crate::policy::file::BUILT_IN
        .replace("yuan = 2300 }", "yuan = 2300, levels = [\"特别困难\", \"困难\"], grounds = [\"AGRICULTURAL_MAJOR\"] }")
        .replace("yuan = 3300 }", "yuan = 3300, levels = [\"特别困难\"] }");
    Policies::always(Policy::parse(&text).expect("is sound"))
}

#[test]
fn more_than_the_policy_gives_is_found_month_by_month() {
    const AUTUMN: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
    let year = |name: &str| level(name, "2026-08-01", "2027-08-01");
    let agricultural = place(100, HERE, "2026-09-01", None);
    type Expected<'a> = &'a [(&'a str, &'a [i32])];
    let cases: [(Enrollment, Vec<Level>, i64, Expected); 9] = [
        (urban(100), vec![year("一般困难")], 13_000, &[]),
        (urban(100), vec![year("一般困难")], 23_000, &[("一档", &AUTUMN)]),
        (urban(100), vec![year("困难")], 23_000, &[]),
        (urban(100), vec![year("困难")], 33_000, &[("二档", &AUTUMN)]),
        (urban(100), vec![year("特别困难")], 33_000, &[]),
        (urban(100), vec![year("特别困难")], 33_001, &[("三档", &AUTUMN)]),
        (agricultural.clone(), vec![], 23_000, &[]),
        (agricultural, vec![], 33_000, &[("二档", &AUTUMN)]),
        // A level that was determined anew in the midst of a term.
        (urban(100), vec![year("特别困难"), level("一般困难", "2026-11-01", "2027-08-01")], 33_000, &[("一档", &AUTUMN[2..])]),
    ];
    for (place, levels, month_fen, expected) in cases {
        let case = PersonCase {
            persons: vec![person(vec![Bond::current(key(10))])],
            enrollments: vec![place],
            claims: vec![Claim { month_fen: Fen(month_fen), ..claim(1, key(10), HERE, &AUTUMN, "2026-10-08", 1) }],
            levels: levels.clone(),
            ..PersonCase::default()
        };
        let found = judge(&case, &with_tiers_for_some(), day("2026-11-20")).findings;
        let over: Vec<(&str, Vec<i32>)> = found
            .iter()
            .inspect(|finding| assert_eq!(finding.rule, Rule::OverRate))
            .flat_map(|finding| &finding.evidence.over)
            .map(|over| (over.tier.as_str(), over.months.iter().map(|month| month.number()).collect()))
            .collect();
        let expected: Vec<(&str, Vec<i32>)> = expected.iter().map(|(tier, months)| (*tier, months.to_vec())).collect();
        assert_eq!(over, expected, "{levels:?} {month_fen}");
    }
}

#[test]
fn who_is_nobody_is_held_for_that_and_not_for_a_tier() {
    let unknown = claim(1, key(99), HERE, &[202_610], "2026-10-08", 1);
    let found = |month_fen: i64| {
        let claims = vec![Claim { month_fen: Fen(month_fen), ..unknown.clone() }];
        let case = PersonCase { claims, ..PersonCase::default() };
        judge(&case, &with_tiers_for_some(), day("2026-11-20")).findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(found(33_000), [Rule::NoEnrollment]);
    assert_eq!(found(33_001), [Rule::NoEnrollment, Rule::OverRate], "no tier is so high");
}

#[test]
fn who_is_one_too_many_is_held_while_on_a_submitted_list() {
    let excess = Excess { quota: "share-middle".into(), source: "文件".into(), of: "43".into(), grade: 0, base: Some(50), limit: 7 };
    for (stage, expected) in [(ClaimStage::Draft, &[][..]), (ClaimStage::Submitted, &[Rule::OverQuota][..]), (ClaimStage::SentBack, &[][..])] {
        let claims = vec![Claim { stage, excess: Some(excess.clone()), ..claim(1, key(10), HERE, &[202_610], "2026-10-08", 1) }];
        let enrollments = vec![place(100, HERE, "2026-09-01", None)];
        let case = PersonCase { persons: vec![person(vec![Bond::current(key(10))])], enrollments, claims, ..PersonCase::default() };
        let found = judge(&case, &Policies::built_in(), day("2026-10-20")).findings;
        assert_eq!(found.iter().map(|finding| finding.rule).collect::<Vec<_>>(), expected, "{stage:?}");
        assert!(found.iter().all(|finding| finding.evidence.excess.as_ref() == Some(&excess) && finding.evidence.policy == "share-middle"));
    }
}

#[test]
fn an_account_is_the_students_own() {
    let account = |others: i64, holder: &str, is_card: bool| Account { others, holder: holder.into(), is_card };
    let differs = |holder: &str| Payee::HolderDiffers { holder: holder.into() };
    for (account, expected) in [
        (None, vec![]),
        (Some(account(0, "", true)), vec![]),
        (Some(account(0, NAME, true)), vec![]),
        (Some(account(0, "李娜", true)), vec![differs("李娜")]),
        (Some(account(2, "", true)), vec![Payee::Shared { others: 2 }]),
        (Some(account(0, "", false)), vec![Payee::NotACard]),
        (Some(account(1, "李娜", false)), vec![differs("李娜"), Payee::Shared { others: 1 }, Payee::NotACard]),
    ] {
        for (scheme, payee) in [(SchemeCode::GRANT, expected.clone()), (SchemeCode::TUITION_WAIVER, vec![])] {
            let claims = vec![Claim { scheme, month_fen: Fen(20_000), account: account.clone(), ..claim(1, key(10), HERE, &[202_610], "2026-10-08", 1) }];
            let enrollments = vec![place(100, HERE, "2026-09-01", None)];
            let case = PersonCase { persons: vec![person(vec![Bond::current(key(10))])], enrollments, claims, ..PersonCase::default() };
            let found = judged(&case).into_iter().find(|finding| finding.rule == Rule::PayeeMismatch);
            assert_eq!(found.map(|finding| finding.evidence.payee).unwrap_or_default(), payee, "{scheme:?} {account:?}");
        }
    }
}

#[test]
fn who_is_let_in_by_a_limited_ground_in_some_month_takes_a_place() {
    const AUTUMN: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
    let policies = Policies::built_in();
    let (poor, major) = (crate::policy::Ground::Hardship, crate::policy::Ground::AgriculturalMajor);
    let agricultural = place(100, HERE, "2026-09-01", None);
    let changed = {
        let mut place = agricultural.clone();
        let mut after = urban(100).timeline[0].clone();
        (place.timeline[0].to, after.from) = (Some(day("2026-11-16")), day("2026-11-16"));
        place.timeline.push(after);
        place
    };
    for (place, levels, grounds) in [
        (agricultural.clone(), vec![], vec![vec![major]]),
        (agricultural, vec![level("困难", "2026-08-01", "2027-08-01")], vec![vec![major, poor]]),
        (urban(100), vec![], vec![]),
        (urban(100), vec![level("困难", "2026-08-01", "2027-08-01")], vec![vec![poor]]),
        // A level since the second month: the first is not given, the others are by it.
        (urban(100), vec![level("困难", "2026-09-20", "2027-08-01")], vec![vec![poor]]),
        (changed, vec![level("困难", "2026-11-10", "2027-08-01")], vec![vec![major], vec![poor]]),
    ] {
        let one = claim(1, key(10), HERE, &AUTUMN, "2026-10-08", 1);
        let (persons, claims) = (vec![person(vec![Bond::current(key(10))])], vec![one.clone()]);
        let case = PersonCase { persons, enrollments: vec![place], claims, levels: levels.clone(), ..PersonCase::default() };
        assert_eq!(standing_in(&case, &policies, &one).map(|standing| standing.grounds), Some(grounds), "{levels:?}");
    }
    let nobody = claim(1, key(99), HERE, &AUTUMN, "2026-10-08", 1);
    assert_eq!(standing_in(&PersonCase::default(), &policies, &nobody), None);
}

#[test]
fn what_was_signed_lies_with_an_entry_and_a_waiver_answers_an_omission() {
    let said = |kind: StatementKind, school: &str, scheme: SchemeCode| Statement {
        key: key(10),
        name_comparable: NAME.into(),
        recorded_day: day("2026-09-10"),
        school: school.into(),
        scheme,
        term: "2026-AUTUMN".parse().expect("a term"),
        kind,
    };
    let (asks, waives, grant) = (StatementKind::Application, StatementKind::Waiver, SchemeCode::GRANT);
    let stranger = Statement { name_comparable: "李娜".into(), ..said(asks, HERE, grant) };
    for (attested, statements, lack) in [
        (false, vec![], None),
        (true, vec![], Some(Lack::Application)),
        (true, vec![said(asks, HERE, grant)], None),
        (true, vec![said(asks, ELSEWHERE, grant)], Some(Lack::Application)),
        (true, vec![said(asks, HERE, SchemeCode::TUITION_WAIVER)], Some(Lack::Application)),
        (true, vec![said(waives, HERE, grant)], Some(Lack::Waived)),
        (false, vec![said(waives, HERE, grant)], None),
        (true, vec![said(waives, HERE, grant), said(asks, HERE, grant)], None),
        // Whose number it is by now, and by which name, are asked as of everything else: one holder means that one.
        (true, vec![stranger], None),
    ] {
        let claims = vec![Claim { attested, ..claim(1, key(10), HERE, &[202_610], "2026-10-08", 1) }];
        let enrollments = vec![place(100, HERE, "2026-09-01", None)];
        let case =
            PersonCase { persons: vec![person(vec![Bond::current(key(10))])], enrollments, claims, statements: statements.clone(), ..PersonCase::default() };
        let found = judged(&case).into_iter().find(|finding| finding.rule == Rule::FileIncomplete);
        assert_eq!(found.and_then(|finding| finding.evidence.lacks.first().copied()), lack, "{attested} {statements:?}");
    }
    for (statements, missing) in
        [(vec![], true), (vec![said(waives, HERE, grant)], false), (vec![said(asks, HERE, grant)], true), (vec![said(waives, ELSEWHERE, grant)], true)]
    {
        let enrollments = vec![place(100, HERE, "2026-09-01", None)];
        let case = PersonCase { persons: vec![person(vec![Bond::current(key(10))])], enrollments, statements, ..PersonCase::default() };
        let found = judge(&case, &Policies::built_in(), day("2026-12-20")).findings;
        let is_missing = found.iter().any(|finding| matches!(&finding.subject, Subject::Omission { scheme, .. } if *scheme == grant));
        assert_eq!(is_missing, missing, "{:?}", case.statements);
    }
}
