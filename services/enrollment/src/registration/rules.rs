//! What approval decides, and what is unusual about a set. No I/O.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::text::comparable_name;
use xuezhu_service::Reason;

/// Students of a class above which it is unusual (rule RG-11).
const CLASS_SIZE: usize = 65;
/// Students with one telephone number above which it is unusual: twins share one.
const PHONE_SHARES: usize = 3;
/// Neighbouring numbers in a row that are unusual.
const RUN_LENGTH: usize = 4;
/// Oldest usual age at entry.
const USUAL_AGE: i32 = 22;

/// What is known of who holds a key.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The person.
    pub person: Uuid,
    /// Current name.
    pub name: String,
    /// Whether the person has a valid place somewhere.
    pub placed: bool,
    /// First day after the last place.
    pub last_end: Option<NaiveDate>,
}

/// What becomes of an attested row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A new person with a place from its entry date.
    NewPerson,
    /// A known person enters again, from this day.
    Again {
        /// Who.
        person: Uuid,
        /// First day of the new place.
        entry: NaiveDate,
    },
    /// Left as it is, for this reason.
    Refused(Reason),
}

/// Decides one row: a claim meets a person by key *and* name; one valid place a person; no overlap in the past.
pub fn decide(claimed_name: &str, first_of_month: NaiveDate, holder: Option<&Holder>) -> Decision {
    let Some(holder) = holder else { return Decision::NewPerson };
    if comparable_name(claimed_name) != comparable_name(&holder.name) {
        return Decision::Refused(Reason::IdentityConflict);
    }
    if holder.placed {
        return Decision::Refused(Reason::PlaceTaken);
    }
    let entry = crate::roll::timeline::entry_date(first_of_month, holder.last_end);
    if holder.last_end.is_some_and(|end| end > entry) {
        return Decision::Refused(Reason::PlaceOverlaps);
    }
    Decision::Again { person: holder.person, entry }
}

/// Head counts by class and major. Majors of two catalogues may bear one name: who is told of them reads the name.
pub fn added_up<'c>(counts: impl Iterator<Item = ((&'c str, &'c str), i32)>) -> BTreeMap<(&'c str, &'c str), i32> {
    let mut added: BTreeMap<(&str, &str), i32> = BTreeMap::new();
    for (place, count) in counts {
        *added.entry(place).or_default() += count;
    }
    added
}

/// What differs between two sets' head counts by class and major: a line each.
pub fn changes(before: &BTreeMap<(&str, &str), i32>, now: &BTreeMap<(&str, &str), i32>) -> Vec<String> {
    let places: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).copied().collect();
    let count = |counts: &BTreeMap<(&str, &str), i32>, place| counts.get(&place).copied().unwrap_or(0);
    places
        .into_iter()
        .map(|place| (place, count(before, place), count(now, place)))
        .filter(|(_, before, now)| before != now)
        .map(|((class, major), before, now)| format!("{class} {major}：上一批{before}人，本批{now}人"))
        .collect()
}

/// What a principal should look at twice (rules RG-8, RG-11).
pub struct Unusual<'r> {
    /// Class of each student.
    pub classes: Vec<&'r str>,
    /// Telephone hash of each student.
    pub phones: Vec<Uuid>,
    /// Birth date and entry month of each student.
    pub ages: Vec<(NaiveDate, i32)>,
    /// Resident numbers.
    pub numbers: Vec<String>,
}

impl Unusual<'_> {
    /// In words.
    pub fn outliers(&self) -> Vec<String> {
        let mut outliers = Vec::new();
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        for class in &self.classes {
            *classes.entry(class).or_default() += 1;
        }
        for (class, count) in classes.iter().filter(|(_, count)| **count > CLASS_SIZE) {
            outliers.push(format!("{class}有{count}人，超过{CLASS_SIZE}人"));
        }
        let mut phones: HashMap<Uuid, usize> = HashMap::new();
        for phone in &self.phones {
            *phones.entry(*phone).or_default() += 1;
        }
        if let Some(most) = phones.values().copied().filter(|count| *count > PHONE_SHARES).max() {
            outliers.push(format!("同一联系电话最多被{most}名学生共用"));
        }
        let old = self.ages.iter().filter(|(birth, month)| month / 100 - birth.year() > USUAL_AGE).count();
        if old > 0 {
            outliers.push(format!("{old}名学生入学时超过{USUAL_AGE}岁，请核实是否实际就读"));
        }
        let run = longest_run(&self.numbers);
        if run >= RUN_LENGTH {
            outliers.push(format!("有{run}个身份证号顺序码连续，请核实是否真实"));
        }
        outliers
    }
}

/// The longest run of numbers with one region and birth date and neighbouring serials.
fn longest_run(numbers: &[String]) -> usize {
    let mut serials: Vec<(&str, u32)> = numbers.iter().filter_map(|number| Some((number.get(..14)?, number.get(14..17)?.parse().ok()?))).collect();
    serials.sort_unstable();
    let (mut longest, mut current) = (usize::from(!serials.is_empty()), 1);
    for pair in serials.windows(2) {
        let neighbours = pair[0].0 == pair[1].0 && pair[1].1 - pair[0].1 <= 2;
        current = if neighbours { current + 1 } else { 1 };
        longest = longest.max(current);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_of_one_name_are_counted_together() {
        let now = added_up([(("1班", "护理"), 20), (("1班", "护理"), 5), (("2班", "护理"), 1)].into_iter());
        assert_eq!(changes(&BTreeMap::from([(("1班", "护理"), 25)]), &now), ["2班 护理：上一批0人，本批1人"]);
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = BTreeMap::from([(("1班", "护理"), 40), (("2班", "护理"), 30)]);
        let now = BTreeMap::from([(("1班", "护理"), 40), (("3班", "护理"), 5)]);
        assert_eq!(changes(&before, &now), ["2班 护理：上一批30人，本批0人", "3班 护理：上一批0人，本批5人"]);
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn approval_decides_by_key_name_place_and_time() {
        let person = Uuid::from_u128(7);
        let holder = |name: &str, placed, last_end: Option<&str>| Holder { person, name: name.into(), placed, last_end: last_end.map(day) };
        let first = day("2016-10-01");
        for (held, decision) in [
            (None, Decision::NewPerson),
            (Some(holder("陈丽", false, None)), Decision::Refused(Reason::IdentityConflict)),
            (Some(holder("陈 莉", true, None)), Decision::Refused(Reason::PlaceTaken)),
            (Some(holder("陈莉", false, Some("2016-10-12"))), Decision::Again { person, entry: day("2016-10-12") }),
            (Some(holder("陈莉", false, Some("2016-10-01"))), Decision::Again { person, entry: first }),
            (Some(holder("陈莉", false, Some("2016-09-12"))), Decision::Again { person, entry: first }),
            (Some(holder("陈莉", false, Some("2016-11-01"))), Decision::Refused(Reason::PlaceOverlaps)),
        ] {
            assert_eq!(decide("陈莉", first, held.as_ref()), decision, "{held:?}");
        }
    }

    #[test]
    fn neighbouring_numbers_are_seen() {
        let numbers: Vec<String> = (0..4).map(|serial| format!("43010220010101{:03}X", 101 + serial)).collect();
        assert_eq!(longest_run(&numbers), 4);
        assert_eq!(longest_run(&numbers[..1]), 1);
        assert_eq!(longest_run(&[]), 0);
    }
}
