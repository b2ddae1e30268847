//! The digest of a finding's evidence, to which an explanation or a clearing is bound. It covers what the rule decided on, and
//! nothing else: whether somebody changed class, where a policy is printed, or what happens after the months in question opens no
//! flag again. It holds none of the source's ids, nor the order that comes of them: a source that was made anew says the same
//! under others.

use chrono::NaiveDate;
use serde::Serialize;
use xuezhu_domain::{Fen, Month, RegistryAnswer, enrollment::PeriodState};

use crate::{
    case::{EnrollmentSide, Evidence, Excluded, Lack, Over, Payee, Rival, Rule, Stage},
    heads::Compared,
};

/// How digests are made now. Those of 1 covered all of the evidence; the evidence of 2 showed nobody who waits under another
/// number; those of 3 left the claimed name out where the rule does not compare it. All are compared by making them anew from what is
/// stored.
pub const VERSION: i32 = 4;

/// The first version whose evidence shows who waits under another number.
const SHOWS_OTHER_NUMBERS: i32 = 3;

/// What a rule decided on.
#[derive(Default, Serialize)]
struct Facts<'e> {
    rule: &'static str,
    months: Vec<i32>,
    fen: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_name: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registered_name: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<RegistryAnswer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<Place<'e>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elsewhere: Vec<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rivals: Vec<&'e Rival>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entitled_by: Option<&'e str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    excluded: &'e [Excluded],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    over: &'e [Over],
    #[serde(skip_serializing_if = "Option::is_none")]
    excess: Option<Room<'e>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    payee: &'e [Payee],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lacks: &'e [Lack],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    heads: Vec<Lost<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lacks_records: Option<bool>,
}

/// A limit, whatever the share is of.
#[derive(Serialize)]
struct Room<'e> {
    quota: &'e str,
    of: &'e str,
    grade: i32,
    limit: i64,
}

/// How many more of a group the one side has than the other, however many there are: students come and go every day.
#[derive(Serialize)]
struct Lost<'e> {
    entry_year: i32,
    major: &'e str,
    in_school: i64,
    on_leave: i64,
}

impl<'e> Lost<'e> {
    fn of(group: &'e Compared) -> Self {
        let (source, mirror) = (group.source, group.mirror);
        let (in_school, on_leave) = (source.in_school - mirror.in_school, source.on_leave - mirror.on_leave);
        Self { entry_year: group.entry_year, major: &group.major, in_school, on_leave }
    }
}

/// A place as far as it lies in the months.
#[derive(Serialize)]
struct Place<'e> {
    school: &'e str,
    stage: Stage,
    spans: Vec<(NaiveDate, NaiveDate, PeriodState)>,
}

/// The digest of what `rule` decided on.
pub fn of(rule: Rule, months: &[Month], amount: Fen, evidence: &Evidence) -> [u8; 32] {
    let claimed_name = evidence.claim.as_ref().map(|claim| claim.name.as_str());
    let numbers = |months: &[Month]| months.iter().map(|month| month.number()).collect::<Vec<_>>();
    let places = || places(&evidence.enrollments, months);
    // Whatever the rule compares, what is said about a claim is said about whom it names: an entry that comes again for somebody else is
    // no more what was decided on.
    let base = Facts { rule: rule.as_str(), months: numbers(months), fen: amount.0, claimed_name, ..Facts::default() };
    let facts = match rule {
        Rule::NoEnrollment | Rule::NotYetRegistered | Rule::NotValidInTerm => Facts { places: places(), ..base },
        Rule::OtherSchool => Facts { places: places(), elsewhere: numbers(&evidence.elsewhere_months), ..base },
        Rule::IdentityMismatch => Facts { registered_name: Some(&evidence.registered_name), ..base },
        Rule::IdentityUnverified => Facts { registry: evidence.registry, ..base },
        Rule::DuplicateAward => {
            let mut rivals: Vec<&Rival> = evidence.rivals.iter().collect();
            rivals.sort_by_key(|rival| rival.entry);
            Facts { rivals, ..base }
        }
        Rule::NotEligible => Facts { excluded: &evidence.excluded, ..base },
        Rule::OverRate => Facts { over: &evidence.over, ..base },
        Rule::OverQuota => {
            let limit = evidence.excess.as_ref();
            Facts { excess: limit.map(|excess| Room { quota: &excess.quota, of: &excess.of, grade: excess.grade, limit: excess.limit }), ..base }
        }
        Rule::PayeeMismatch => Facts { payee: &evidence.payee, ..base },
        Rule::FileIncomplete => Facts { lacks: &evidence.lacks, ..base },
        // Nobody claimed these.
        Rule::HeadcountDiffers => {
            Facts { claimed_name: None, heads: evidence.heads.iter().map(Lost::of).collect(), lacks_records: Some(evidence.lacks_records), ..base }
        }
        Rule::MissingAward => Facts { claimed_name: None, places: places(), due: evidence.due, entitled_by: Some(&evidence.entitled_by), ..base },
    };
    *blake3::hash(&serde_json::to_vec(&facts).unwrap_or_default()).as_bytes()
}

/// The same of a finding as a version before would have shown it, for comparing with what it stored.
pub fn as_before(version: i32, rule: Rule, months: &[Month], amount: Fen, evidence: &Evidence) -> [u8; 32] {
    let mut evidence = evidence.clone();
    if version < SHOWS_OTHER_NUMBERS {
        evidence.enrollments.retain(|side| !side.other_number);
    }
    of(rule, months, amount, &evidence)
}

/// Places, each with what it was in the months, in an order of their own.
fn places<'e>(enrollments: &'e [EnrollmentSide], months: &[Month]) -> Vec<Place<'e>> {
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Vec::new() };
    let (begin, end) = (first.first_day(), last.end());
    let within = |side: &'e EnrollmentSide| {
        let spans = side.periods.iter().map(|period| (period.from.max(begin), period.to.map_or(end, |to| to.min(end)), period.state));
        // A change of class parts a period in two that say the same of what is decided here.
        let mut merged: Vec<(NaiveDate, NaiveDate, PeriodState)> = Vec::new();
        for (from, to, state) in spans.filter(|(from, to, _)| from < to) {
            match merged.last_mut() {
                Some(last) if last.1 == from && last.2 == state => last.1 = to,
                _ => merged.push((from, to, state)),
            }
        }
        Place { school: &side.school, stage: side.stage, spans: merged }
    };
    let mut places: Vec<Place> = enrollments.iter().map(within).collect();
    places.sort_by_cached_key(|place| serde_json::to_string(place).unwrap_or_default());
    places
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        case::{ClaimSide, Excess, PeriodSide},
        heads::Heads,
    };

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn months() -> Vec<Month> {
        [202_610, 202_611].into_iter().map(|month| Month::try_from(month).expect("a month")).collect()
    }

    fn evidence() -> Evidence {
        let period =
            |from: &str, to: Option<&str>, state| PeriodSide {
                from: day(from), to: to.map(day), state, class_name: "1班".into(), major: "2010-010200".into()
            };
        let side = |id: u128, school: &str| EnrollmentSide {
            enrollment: Uuid::from_u128(id),
            school: school.into(),
            stage: Stage::Approved,
            name: "王伟".into(),
            periods: vec![period("2026-09-01", Some("2026-10-08"), PeriodState::InSchool), period("2026-10-08", None, PeriodState::OnLeave)],
            approved_day: Some(day("2026-09-20")),
            other_number: false,
        };
        Evidence {
            claim: Some(ClaimSide { name: "王伟".into(), months: months(), recorded_day: day("2026-09-25") }),
            enrollments: vec![side(1, "3643000001"), side(2, "3643000002")],
            policy: "grant-2016".into(),
            policy_source: "财科教〔2016〕35号".into(),
            excess: Some(Excess { quota: "share".into(), source: "文件".into(), of: "43".into(), grade: 0, base: Some(50), limit: 7 }),
            ..Evidence::default()
        }
    }

    #[test]
    fn what_no_rule_decides_on_changes_no_digest() {
        let same: [fn(&mut Evidence); 7] = [
            // A change of class in the midst of a period.
            |evidence| {
                let periods = &mut evidence.enrollments[0].periods;
                let (day, whole) = ("2026-11-10".parse().expect("a date"), periods[1].clone());
                periods[1].to = Some(day);
                periods.push(PeriodSide { from: day, class_name: "2班".into(), ..whole });
            },
            |evidence| evidence.enrollments[0].periods[1].class_name = "2班".into(),
            |evidence| evidence.enrollments[0].periods[0].major = "2010-100100".into(),
            |evidence| evidence.enrollments[0].enrollment = Uuid::from_u128(9),
            |evidence| evidence.enrollments.reverse(),
            |evidence| evidence.policy_source = "另一处".into(),
            // After the months in question.
            |evidence| evidence.enrollments[0].periods[1].to = Some("2027-02-01".parse().expect("a date")),
        ];
        for rule in Rule::ALL {
            let before = of(rule, &months(), Fen(40_000), &evidence());
            for (index, change) in same.iter().enumerate() {
                let mut changed = evidence();
                change(&mut changed);
                assert_eq!(of(rule, &months(), Fen(40_000), &changed), before, "{rule:?} {index}");
            }
            assert_ne!(of(rule, &months()[..1], Fen(40_000), &evidence()), before, "{rule:?}: other months");
            assert_ne!(of(rule, &months(), Fen(20_000), &evidence()), before, "{rule:?}: another amount");
        }
    }

    #[test]
    fn as_many_more_or_less_on_both_sides_is_the_same_difference() {
        let of_heads = |source: i64, mirror: i64| {
            let heads = |in_school: i64| Heads { in_school, on_leave: 0 };
            let group = Compared { entry_year: 2026, major: "2010-010200".into(), source: heads(source), mirror: heads(mirror) };
            of(Rule::HeadcountDiffers, &[], Fen(0), &Evidence { heads: vec![group], ..Evidence::default() })
        };
        assert_eq!(of_heads(300, 299), of_heads(301, 300));
        assert_ne!(of_heads(300, 299), of_heads(300, 298));
    }

    #[test]
    fn who_waits_under_another_number_is_decided_on_and_was_not_shown_before() {
        let mut waits = evidence();
        let first = waits.enrollments[0].clone();
        waits.enrollments.push(EnrollmentSide { stage: Stage::Submitted, periods: Vec::new(), approved_day: None, other_number: true, ..first });
        let rule = Rule::NotYetRegistered;
        let of_before = of(rule, &months(), Fen(40_000), &evidence());
        assert_ne!(of(rule, &months(), Fen(40_000), &waits), of_before);
        for version in 1..VERSION {
            let showed_it = version >= SHOWS_OTHER_NUMBERS;
            assert_eq!(as_before(version, rule, &months(), Fen(40_000), &waits) != of_before, showed_it, "{version}");
        }
    }

    #[test]
    fn what_a_rule_decides_on_changes_its_digest_and_that_of_no_other() {
        type Case = (fn(&mut Evidence), &'static [Rule]);
        let cases: [Case; 15] = [
            (
                |evidence| evidence.enrollments[0].periods[1].state = PeriodState::Withdrawn,
                &[Rule::NoEnrollment, Rule::NotYetRegistered, Rule::NotValidInTerm, Rule::OtherSchool, Rule::MissingAward],
            ),
            (|evidence| evidence.registered_name = "王小伟".into(), &[Rule::IdentityMismatch]),
            (
                |evidence| evidence.claim.as_mut().expect("a claim").name = "李娜".into(),
                &[
                    Rule::NoEnrollment,
                    Rule::NotYetRegistered,
                    Rule::NotValidInTerm,
                    Rule::OtherSchool,
                    Rule::IdentityMismatch,
                    Rule::IdentityUnverified,
                    Rule::DuplicateAward,
                    Rule::NotEligible,
                    Rule::OverRate,
                    Rule::OverQuota,
                    Rule::PayeeMismatch,
                    Rule::FileIncomplete,
                ],
            ),
            (|evidence| evidence.registry = Some(RegistryAnswer::Differs), &[Rule::IdentityUnverified]),
            (|evidence| evidence.elsewhere_months = evidence.claim.as_ref().map(|claim| claim.months.clone()).unwrap_or_default(), &[Rule::OtherSchool]),
            (|evidence| evidence.rivals.push(Rival { entry: Uuid::from_u128(3), school: "3643000002".into(), months: Vec::new() }), &[Rule::DuplicateAward]),
            (|evidence| evidence.entitled_by = "RURAL".into(), &[Rule::MissingAward]),
            (|evidence| evidence.excluded.push(Excluded { why: "GRADE_NOT_ELIGIBLE".into(), grade: 4, months: months() }), &[Rule::NotEligible]),
            (
                |evidence| {
                    let over = Over { tier: "一档".into(), month: Fen(13_000), claimed: Fen(23_000), level: "困难".into(), months: months() };
                    evidence.over.push(over);
                },
                &[Rule::OverRate],
            ),
            (|evidence| evidence.excess.as_mut().expect("is there").limit = 6, &[Rule::OverQuota]),
            // One student more or less on the roll that changes no limit changes nothing.
            (|evidence| evidence.excess.as_mut().expect("is there").base = Some(51), &[]),
            (|evidence| evidence.payee.push(Payee::Shared { others: 2 }), &[Rule::PayeeMismatch]),
            (
                |evidence| {
                    let (source, mirror) = (Heads { in_school: 3, on_leave: 0 }, Heads { in_school: 2, on_leave: 0 });
                    evidence.heads.push(Compared { entry_year: 2026, major: "2010-010200".into(), source, mirror });
                },
                &[Rule::HeadcountDiffers],
            ),
            (|evidence| evidence.lacks.push(Lack::Application), &[Rule::FileIncomplete]),
            (|evidence| evidence.lacks_records = true, &[Rule::HeadcountDiffers]),
        ];
        for (index, (change, decided)) in cases.into_iter().enumerate() {
            let mut changed = evidence();
            change(&mut changed);
            for rule in Rule::ALL {
                let differs = of(rule, &months(), Fen(40_000), &changed) != of(rule, &months(), Fen(40_000), &evidence());
                assert_eq!(differs, decided.contains(&rule), "{rule:?} {index}");
            }
        }
    }
}
