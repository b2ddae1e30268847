//! What must be found at a checkpoint, from the world alone: month by month, day by day, without the aid service or its judge.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use xuezhu_domain::{calendar::add_working_days, text::comparable_name};

use super::{
    calendar::{AUTUMN, NEXT_SPRING, TERMS, Term, day, days},
    policy::PLACES,
    world::{Claim, Person, Place, Scheme, World},
};

/// A flag that must be open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Expected {
    /// Rule.
    pub rule: String,
    /// School of the list.
    pub school: String,
    /// Scheme.
    pub scheme: String,
    /// Term.
    pub term: String,
    /// Name as claimed, or of the student who is missing.
    pub name: String,
    /// Months.
    pub months: Vec<i32>,
}

fn first_of(month: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(month / 100, u32::try_from(month % 100).unwrap_or(1), 1).unwrap_or_default()
}

/// Whether a value was good for a claim recorded on a day.
fn good(list: &[(String, Option<NaiveDate>)], value: &str, on: NaiveDate, known: NaiveDate) -> bool {
    list.iter().enumerate().any(|(index, (one, end))| {
        // A later value is known only once its correction was recorded.
        let begun = index == 0 || list[index - 1].1.is_some_and(|before| before <= known);
        let ended = end.filter(|end| *end <= known);
        begun && (one == value || comparable_name(one) == comparable_name(value)) && ended.is_none_or(|end| on <= end)
    })
}

struct Oracle<'w> {
    world: &'w World,
    known: NaiveDate,
    by_number: HashMap<&'w str, &'w Person>,
}

impl<'w> Oracle<'w> {
    fn new(world: &'w World, known: NaiveDate) -> Self {
        let by_number = world.people.iter().flat_map(|person| person.numbers.iter().map(move |(number, _)| (number.as_str(), person))).collect();
        Self { world, known, by_number }
    }

    /// The student of a number, if a department approved one by then.
    fn student(&self, claim: &Claim) -> Option<&'w Person> {
        self.by_number
            .get(claim.number.as_str())
            .copied()
            .filter(|person| self.approved(person).next().is_some() && good(&person.numbers, &claim.number, claim.uploaded, self.known))
    }

    fn approved(&self, person: &'w Person) -> impl Iterator<Item = &'w Place> {
        let known = self.known;
        person.places.iter().filter(move |place| place.approved <= known)
    }

    /// The place that a month belongs to, and the day by which it goes.
    fn place_of(&self, person: &'w Person, scheme: Scheme, term: &Term, month: i32) -> Option<(&'w Place, NaiveDate)> {
        let at = |on: NaiveDate| self.approved(person).find(|place| place.is_in_school(on, self.known)).map(|place| (place, on));
        if scheme == Scheme::Waiver {
            return at(term.count);
        }
        let first = first_of(month);
        if month != term.months[0] {
            return at(first);
        }
        first.iter_days().take_while(|on| on.month() == first.month()).find_map(at)
    }

    /// The school that a month belongs to.
    fn school_of(&self, person: &'w Person, scheme: Scheme, term: &Term, month: i32) -> Option<usize> {
        self.place_of(person, scheme, term, month).map(|(place, _)| place.school)
    }

    /// Whether a month that is the school's is not given.
    fn is_excluded(&self, claim: &Claim, person: &'w Person, month: i32) -> bool {
        let place = self.place_of(person, claim.scheme, claim.term, month).filter(|(place, _)| place.school == claim.school);
        place.is_some_and(|(place, on)| !person.is_given(claim.scheme, place, claim.term, on, self.known))
    }

    fn place_rule(&self, claim: &Claim, person: Option<&'w Person>, month: i32) -> Option<&'static str> {
        let submitted = self
            .by_number
            .get(claim.number.as_str())
            .is_some_and(|person| person.places.iter().any(|place| place.school == claim.school && place.entered <= self.known && place.approved > self.known));
        match person.and_then(|person| self.school_of(person, claim.scheme, claim.term, month)) {
            Some(school) if school == claim.school => None,
            Some(_) => Some("OTHER_SCHOOL"),
            None if submitted => Some("NOT_YET_REGISTERED"),
            None if person.is_some_and(|person| self.approved(person).any(|place| place.school == claim.school)) => Some("NOT_VALID_IN_TERM"),
            None => Some("NO_ENROLLMENT"),
        }
    }

    fn of_claim(&self, claim: &Claim, found: &mut Vec<Expected>) {
        let person = self.student(claim);
        let months = months(claim);
        for rule in ["NO_ENROLLMENT", "NOT_YET_REGISTERED", "NOT_VALID_IN_TERM", "OTHER_SCHOOL"] {
            let bad: Vec<i32> = months.iter().copied().filter(|month| self.place_rule(claim, person, *month) == Some(rule)).collect();
            if !bad.is_empty() {
                found.push(self.flag(rule, claim, bad));
            }
        }
        // Before somebody is known the card is to be theirs whom the list names.
        let is_own = person.map_or(claim.holder == claim.name, |person| good(&person.names, &claim.holder, claim.uploaded, self.known));
        if !claim.holder.is_empty() && !is_own {
            found.push(self.flag("PAYEE_MISMATCH", claim, months.clone()));
        }
        let Some(person) = person else { return };
        let excluded: Vec<i32> = months.iter().copied().filter(|month| self.is_excluded(claim, person, *month)).collect();
        if !excluded.is_empty() {
            found.push(self.flag("NOT_ELIGIBLE", claim, excluded));
        }
        if claim.tier == "三档" {
            let given = |month: &i32| self.place_rule(claim, Some(person), *month).is_none() && !self.is_excluded(claim, person, *month);
            let over: Vec<i32> = months.iter().copied().filter(given).collect();
            if !over.is_empty() {
                found.push(self.flag("OVER_RATE", claim, over));
            }
        }
        // Once the principal signed it.
        if waives(person, claim.scheme, claim.term) && self.known > day(days::APPROVE) {
            let own: Vec<i32> = months.iter().copied().filter(|month| self.place_rule(claim, Some(person), *month).is_none()).collect();
            if !own.is_empty() {
                found.push(self.flag("FILE_INCOMPLETE", claim, own));
            }
        }
        if !good(&person.names, &claim.name, claim.uploaded, self.known) {
            found.push(self.flag("IDENTITY_MISMATCH", claim, months.clone()));
        }
        if !person.confirmed {
            found.push(self.flag("IDENTITY_UNVERIFIED", claim, months));
        }
    }

    /// Cards that several students name.
    fn of_cards(&self, claims: &[(usize, &'w Claim)], found: &mut Vec<Expected>) {
        for (_, claim) in claims.iter().filter(|(_, claim)| !claim.card.is_empty()) {
            if claims.iter().any(|(_, other)| other.card == claim.card && other.number != claim.number) {
                found.push(self.flag("PAYEE_MISMATCH", claim, months(claim)));
            }
        }
    }

    /// Of the second spring's lists: whoever comes after as many poor as there are places, as they stood when they were submitted.
    fn of_places(&self, claims: &[(usize, &'w Claim)], found: &mut Vec<Expected>) {
        let then = Self::new(self.world, day(NEXT_SPRING.listed));
        let is_poor = |claim: &Claim| {
            let Some(person) = then.student(claim) else { return false };
            let mut faults = Vec::new();
            then.of_claim(claim, &mut faults);
            let first = then.place_of(person, claim.scheme, claim.term, NEXT_SPRING.months[0]);
            faults.is_empty() && first.is_some_and(|(place, on)| !place.major_on(on, then.known).agricultural)
        };
        let poor: Vec<&Claim> = claims
            .iter()
            .map(|(_, claim)| *claim)
            .filter(|claim| claim.scheme == Scheme::Grant && claim.term.name == NEXT_SPRING.name && is_poor(claim))
            .collect();
        for school in 0..self.world.schools.len() {
            let mut of_school: Vec<&&Claim> = poor.iter().filter(|claim| claim.school == school).collect();
            // As the list shows them.
            of_school.sort_by(|one, other| one.name.cmp(&other.name));
            for claim in of_school.into_iter().skip(PLACES) {
                found.push(self.flag("OVER_QUOTA", claim, months(claim)));
            }
        }
    }

    fn of_duplicates(&self, claims: &[(usize, &'w Claim)], found: &mut Vec<Expected>) {
        for (order, claim) in claims {
            let rivals: Vec<&(usize, &Claim)> = claims
                .iter()
                .filter(|(other, rival)| other != order && rival.number == claim.number && rival.scheme == claim.scheme && rival.term.name == claim.term.name)
                .collect();
            let lost: Vec<i32> = months(claim)
                .into_iter()
                .filter(|month| {
                    let mut competing: Vec<(NaiveDate, usize, usize)> = // day, school, line: schools upload one after the other
                        rivals.iter().filter(|(_, rival)| months(rival).contains(month)).map(|(other, rival)| (rival.uploaded, rival.school, *other)).collect();
                    if competing.is_empty() {
                        return false;
                    }
                    competing.push((claim.uploaded, claim.school, *order));
                    let owner = self.student(claim).and_then(|person| self.school_of(person, claim.scheme, claim.term, *month));
                    let supported: Vec<_> = competing.iter().filter(|rival| Some(rival.1) == owner).collect();
                    let winner = if supported.len() == 1 { supported[0].2 } else { competing.iter().min().map_or(0, |rival| rival.2) };
                    winner != *order
                })
                .collect();
            if !lost.is_empty() {
                found.push(self.flag("DUPLICATE_AWARD", claim, lost));
            }
        }
    }

    /// Of a term that was over at the approval nothing is asked.
    fn of_omission(&self, person: &'w Person, claims: &[&'w Claim], found: &mut Vec<Expected>) {
        if !person.confirmed {
            return;
        }
        for (term, scheme) in TERMS.into_iter().flat_map(|term| Scheme::ALL.map(|scheme| (term, scheme))) {
            let there = |place: &&Place| place.is_in_school(term.count, self.known) && place.approved < term.over;
            for place in self.approved(person).filter(there).filter(|place| person.draws(scheme, place, term, self.known)) {
                let due = term.due.max(add_working_days(place.approved, 10));
                let listed = claims.iter().any(|claim| {
                    claim.scheme == scheme
                        && claim.term.name == term.name
                        && claim.school == place.school
                        && good(&person.numbers, &claim.number, claim.uploaded, self.known)
                });
                if self.known > due && !listed && !waives(person, scheme, term) {
                    let present = |(name, _): &&(String, Option<NaiveDate>)| good(&person.names, name, self.known + chrono::Days::new(1), self.known);
                    found.push(Expected {
                        rule: "MISSING_AWARD".into(),
                        school: self.world.schools[place.school].code.clone(),
                        scheme: scheme.as_str().into(),
                        term: term.name.into(),
                        name: person.names.iter().rev().find(present).map_or(String::new(), |(name, _)| name.clone()),
                        months: term.months.to_vec(),
                    });
                }
            }
        }
    }

    fn flag(&self, rule: &str, claim: &Claim, months: Vec<i32>) -> Expected {
        Expected {
            rule: rule.into(),
            school: self.world.schools[claim.school].code.clone(),
            scheme: claim.scheme.as_str().into(),
            term: claim.term.name.into(),
            name: xuezhu_domain::text::tidy_name(&claim.name),
            months,
        }
    }
}

/// Whether a student signed not to want a scheme in a term.
fn waives(person: &Person, scheme: Scheme, term: &Term) -> bool {
    person.waives && scheme == Scheme::Grant && term.name == AUTUMN.name
}

fn months(claim: &Claim) -> Vec<i32> {
    if claim.months.is_empty() { claim.term.months.to_vec() } else { claim.months.clone() }
}

/// Every flag that must be open at the end of a day.
pub fn expected(world: &World, known: NaiveDate) -> Vec<Expected> {
    let oracle = Oracle::new(world, known);
    let claims: Vec<(usize, &Claim)> = world.claims.iter().enumerate().filter(|(_, claim)| claim.uploaded <= known).collect();
    let mut found = Vec::new();
    let mut by_number: HashMap<&str, Vec<(usize, &Claim)>> = HashMap::new();
    for (order, claim) in &claims {
        oracle.of_claim(claim, &mut found);
        by_number.entry(claim.number.as_str()).or_default().push((*order, claim));
    }
    oracle.of_cards(&claims, &mut found);
    oracle.of_places(&claims, &mut found);
    for claims in by_number.values().filter(|claims| claims.len() > 1) {
        oracle.of_duplicates(claims, &mut found);
    }
    for person in &world.people {
        let own: Vec<&Claim> = person.numbers.iter().filter_map(|(number, _)| by_number.get(number.as_str())).flatten().map(|(_, claim)| *claim).collect();
        oracle.of_omission(person, &own, &mut found);
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{calendar::days, faults::Fault, make, play};

    fn alone(fault: Fault) -> World {
        let world = make::world(240, 5, 0.01, &[fault]);
        assert!(world.planted.iter().all(|(_, count)| *count > 0), "{fault:?} was not planted");
        world
    }

    fn open(world: &World, known: &str) -> Vec<Expected> {
        expected(world, day(known))
    }

    #[test]
    fn without_faults_only_what_waits_for_an_approval_is_open() {
        let world = World::make(400, 5, 0.0);
        assert!(world.clean.iter().all(|(_, count)| *count > 0), "{:?}", world.clean);
        for known in play::checkpoints() {
            let found = open(&world, known);
            assert!(found.iter().all(|flag| flag.rule == "NOT_YET_REGISTERED"), "{known}: {found:?}");
            let waits = matches!(known, days::LIST | days::NEXT_LIST | days::NEXT_SPRING);
            assert_eq!(found.is_empty(), !waits, "{known}: {found:?}");
        }
    }

    /// Of each fault alone something is open at some time when without it nothing would be.
    #[test]
    fn each_fault_must_be_found() {
        for fault in Fault::ALL {
            let world = alone(fault);
            let quiet = |known: &&str| !matches!(*known, days::LIST | days::NEXT_LIST | days::NEXT_SPRING);
            assert!(play::checkpoints().filter(quiet).any(|known| !open(&world, known).is_empty()), "{fault:?} is never open");
        }
    }

    /// Written down by hand: a fault, a day, and how the flags of each student of it, or of one, are to stand then.
    #[test]
    fn what_is_recorded_late_opens_and_closes_on_its_day() {
        const NOT_VALID: &str = "NOT_VALID_IN_TERM";
        const AUTUMN: [i32; 5] = [201_709, 201_710, 201_711, 201_712, 201_801];
        for (fault, known, rule, months) in [
            (Fault::NeverCame, days::NEXT_APPROVE, NOT_VALID, None),
            (Fault::NeverCame, days::NEVER_CAME, NOT_VALID, Some(&AUTUMN[..])),
            (Fault::NeverCame, days::END, NOT_VALID, Some(&AUTUMN[..])),
            (Fault::CameElsewhere, days::NEVER_CAME, NOT_VALID, Some(&AUTUMN[..])),
            (Fault::CameElsewhere, days::NEXT_MOVE, NOT_VALID, None),
            (Fault::CameElsewhere, days::NEXT_MOVE, "OTHER_SCHOOL", Some(&AUTUMN[..])),
            (Fault::CameElsewhere, days::NEXT_MOVE, "DUPLICATE_AWARD", None),
            (Fault::CameElsewhere, days::NEXT_SUPPLEMENT, "DUPLICATE_AWARD", Some(&AUTUMN[..])),
            (Fault::LateWithdrawal, days::SPRING, NOT_VALID, None),
            (Fault::LateWithdrawal, days::LATE_WITHDRAWAL, NOT_VALID, Some(&[201_701])),
            (Fault::LateWithdrawal, days::LATE_WITHDRAWAL, NOT_VALID, Some(&[201_703, 201_704, 201_705, 201_706, 201_707])),
            (Fault::LateReturn, days::YEAR_END, NOT_VALID, None),
            (Fault::LateReturn, days::NEXT_LIST, NOT_VALID, Some(&AUTUMN[..])),
            (Fault::LateReturn, days::NEXT_OVERDUE, NOT_VALID, Some(&AUTUMN[..])),
            (Fault::LateReturn, days::LATE_RECORDS, NOT_VALID, None),
            (Fault::LeftOverSummer, days::NEXT_LIST, NOT_VALID, Some(&AUTUMN[..])),
            (Fault::NotPoor, days::LIST, "NOT_ELIGIBLE", None),
            (Fault::NotPoor, days::APPROVE, "NOT_ELIGIBLE", Some(&[201_609, 201_610, 201_611, 201_612, 201_701])),
            (Fault::PoorLater, days::SUPPLEMENT, "NOT_ELIGIBLE", Some(&[201_609, 201_610, 201_611])),
            (Fault::PoorNoMore, days::LATE, "NOT_ELIGIBLE", None),
            (Fault::PoorNoMore, days::LATE_LEAVE, "NOT_ELIGIBLE", Some(&[201_612, 201_701])),
            (Fault::MajorLeft, days::BACK, "NOT_ELIGIBLE", None),
            (Fault::MajorLeft, days::CORRECT, "NOT_ELIGIBLE", Some(&[201_612, 201_701])),
            (Fault::TooManyPoor, days::NEXT_SPRING, "OVER_QUOTA", Some(&[201_803, 201_804, 201_805, 201_806, 201_807])),
            (Fault::PrivateNotListed, days::NEXT_SPRING, "NOT_ELIGIBLE", Some(&[201_803, 201_804, 201_805, 201_806, 201_807])),
            (Fault::PrivateNotListed, days::NEXT_SPRING_OVERDUE, "MISSING_AWARD", None),
            (Fault::HigherTier, days::APPROVE, "OVER_RATE", Some(&[201_609, 201_610, 201_611, 201_612, 201_701])),
            (Fault::OneCard, days::LIST, "PAYEE_MISMATCH", Some(&[201_609, 201_610, 201_611, 201_612, 201_701])),
            (Fault::MajorForgotten, days::NEXT_SUPPLEMENT, "MISSING_AWARD", None),
            (Fault::MajorForgotten, days::NEXT_OVERDUE, "MISSING_AWARD", Some(&AUTUMN[..])),
            (Fault::MajorForgotten, days::END, "MISSING_AWARD", Some(&AUTUMN[..])),
            (Fault::MajorRecordedLate, days::NEXT_OVERDUE, "MISSING_AWARD", None),
            (Fault::MajorRecordedLate, days::LATE_RECORDS, "MISSING_AWARD", Some(&AUTUMN[..])),
            (Fault::MajorLostLate, days::NEXT_OVERDUE, "MISSING_AWARD", Some(&AUTUMN[..])),
            (Fault::MajorLostLate, days::LATE_RECORDS, "MISSING_AWARD", None),
        ] {
            let found: Vec<Expected> = open(&alone(fault), known).into_iter().filter(|flag| flag.rule == rule).collect();
            match months {
                Some(months) => assert!(found.iter().any(|flag| flag.months == months), "{fault:?} {known} {rule} {months:?}: {found:?}"),
                None => assert!(found.is_empty(), "{fault:?} {known} {rule}: {found:?}"),
            }
        }
    }
}
