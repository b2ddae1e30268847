//! Random histories of single acts, held against an independent, naive reference: it reads what the two services keep as
//! their own truth (who is enrolled, what is listed), knows neither feed, mirror nor judge, and walks the calendar day by
//! day. Both drivers must agree with it: the continuous one after every few acts, the full sweep from nothing at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::policies;
use chrono::{Datelike, NaiveDate};
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use uuid::Uuid;
use xuezhu::{
    client::Session,
    deployment::{Deployment, Options, key_files},
};
use xuezhu_bridge::{
    Kind,
    known::{When, resolve},
    sequencer::settled_head,
    trim::trim_before,
};
use xuezhu_domain::{IdNumber, calendar::add_working_days, enrollment::State, text::comparable_name};
use xuezhu_enrollment::sharing;
use xuezhu_judge::{case::Rule, entry, life};
use xuezhu_proto::bridge::{self as pb, enrollment::Stage, record::Body};
use xuezhu_service::{Keyring, keyring::Service, settings::Settings};
use xuezhu_store::{Db, one, rows, run};
use xuezhu_tests::{
    AT_ONCE, options, policy_file, postgres,
    rebuilt::rebuild,
    rows::assert_whole,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, awards, number, student, workbook},
    start,
};

const TERM: &str = "2026-AUTUMN";
const MONTHS: [i32; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];
const COUNT_DAY: &str = "2026-09-30";
const DUE: &str = "2026-11-30";
/// From this day on the second version of the policy holds.
const SECOND: &str = "2026-10-20";
/// Numbers that take part: few, so that they meet.
const NUMBERS: u32 = 9;
/// Acts of a history.
const ACTS: usize = 90;
/// Acts between two looks at what is bound.
const ROWS_LOOKED_AT: usize = 10;
/// Acts between two rebuildings of the source.
const REBUILT: usize = 31;
/// Acts between comparisons.
const BETWEEN: usize = 6;

/// A finding: rule, what it is about, months.
type Found = BTreeSet<(String, String, Vec<i32>)>;

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

// ── the reference ──────────────────────────────────────────────────────────────────────────────────────────────

/// How a number belongs to a person, as the source stores it: its own now, or changed by law since; else it was mistyped.
const PRESENT: i32 = 1;
const CHANGED: i32 = 2;

#[derive(Default)]
struct Person {
    keys: Vec<(Uuid, i32, Option<NaiveDate>)>,
    names: Vec<(String, Option<NaiveDate>)>,
    unconfirmed: bool,
}

impl Person {
    /// Whether a submission may be a person's: by the number that they have, one that was theirs by law, or one that was only found to be
    /// mistyped on the day of the submission or after it.
    fn waits_as(&self, place: &Place) -> bool {
        let numbered = self.keys.iter().any(|(key, kind, end)| {
            let theirs = match *kind {
                PRESENT | CHANGED => true,
                _ => end.is_some_and(|end| place.claimed.is_some_and(|day| day <= end)),
            };
            *key == place.key && theirs
        });
        numbered && self.names.iter().any(|(name, _)| *name == place.name)
    }
}

struct Place {
    school: String,
    /// Day on which it was submitted last.
    claimed: Option<NaiveDate>,
    person: Option<Uuid>,
    key: Uuid,
    name: String,
    approved: Option<NaiveDate>,
    entry: NaiveDate,
    periods: Vec<Period>,
}

#[expect(clippy::struct_excessive_bools, reason = "a row, as it was read")]
struct Period {
    from: NaiveDate,
    to: Option<NaiveDate>,
    inside: bool,
    agricultural: bool,
    /// Of the major that the second version frees of tuition.
    nursing: bool,
    rural: bool,
    full_time: bool,
}

impl Period {
    fn holds(&self, on: NaiveDate) -> bool {
        self.inside && self.from <= on && self.to.is_none_or(|to| on < to)
    }
}

/// A hardship level that was signed, or that there is none any more.
struct Level {
    key: Uuid,
    name: String,
    is_one: bool,
    from: NaiveDate,
    to: NaiveDate,
    day: NaiveDate,
}

/// What a student signed, and did not take back.
struct Said {
    school: String,
    scheme: String,
    key: Uuid,
    name: String,
    asks: bool,
    day: NaiveDate,
}

#[expect(clippy::struct_excessive_bools, reason = "a row, as it was read")]
#[derive(Clone)]
struct Entry {
    id: Uuid,
    school: String,
    scheme: String,
    /// Whether its list was opened under the second version of the policy.
    second: bool,
    key: Uuid,
    name: String,
    months: Vec<i32>,
    listed: bool,
    /// Whether the principal signed it.
    signed: bool,
    /// The highest tier.
    highest: bool,
    card: Option<Uuid>,
    /// Whether it was one too many when its list was weighed last.
    exceeds: bool,
    day: NaiveDate,
    at: i64,
}

struct Truth {
    persons: BTreeMap<Uuid, Person>,
    places: Vec<Place>,
    entries: Vec<Entry>,
    levels: Vec<Level>,
    said: Vec<Said>,
    /// Private schools.
    private: BTreeSet<String>,
    today: NaiveDate,
}

impl Truth {
    /// Who is enrolled where, and which schools are private.
    async fn source(enrollment: &Db) -> (BTreeMap<Uuid, Person>, Vec<Place>, BTreeSet<String>) {
        let mut tx = enrollment.read().await.expect("reads");
        let mut persons: BTreeMap<Uuid, Person> = BTreeMap::new();
        for (id, registry) in rows!(&mut tx, (Uuid, i32), "SELECT person, registry FROM persons").expect("persons") {
            persons.entry(id).or_default().unconfirmed = registry >= 3;
        }
        for (id, key, kind, end) in
            rows!(&mut tx, (Uuid, Uuid, i32, Option<NaiveDate>), "SELECT person, person_key, kind, end_recorded FROM person_keys").expect("keys")
        {
            persons.entry(id).or_default().keys.push((key, kind, end));
        }
        for (id, name, end) in rows!(&mut tx, (Uuid, String, Option<NaiveDate>), "SELECT person, name, end_recorded FROM person_names").expect("names") {
            persons.entry(id).or_default().names.push((comparable_name(&name), end));
        }
        let mut periods: HashMap<Uuid, Vec<_>> = HashMap::new();
        type Stood = (Uuid, NaiveDate, Option<NaiveDate>, i32, String, String, String, String);
        let stood = "SELECT enrollment, from_date, to_date, state, major, study_form, household, residence FROM periods WHERE until_version IS NULL";
        for (id, from, to, state, major, study_form, household, residence) in rows!(&mut tx, Stood, stood).expect("periods") {
            periods.entry(id).or_default().push(Period {
                from,
                to,
                inside: state == State::InSchool.code(),
                agricultural: major == "2010-010200",
                nursing: major == "2010-100100",
                rural: household == "农业户口" || residence == "农村",
                full_time: study_form == "全日制",
            });
        }
        type Row = (Uuid, String, i32, Option<Uuid>, Uuid, String, Option<NaiveDate>, NaiveDate, Option<NaiveDate>);
        let places = rows!(&mut tx, Row, "SELECT enrollment, school, state, person, claim_key, name, approved_day, entry_date, claimed_day FROM enrollments")
            .expect("enrollments")
            .into_iter()
            .filter(|row| !State::from_code(row.2).expect("a state").is_editable())
            .map(|(id, school, _, person, key, name, approved, entry, claimed)| Place {
                school,
                claimed,
                person,
                key,
                name: comparable_name(&name),
                approved,
                entry,
                periods: periods.remove(&id).unwrap_or_default(),
            })
            .collect();
        let private = rows!(&mut tx, (String,), "SELECT code FROM schools WHERE kind = 'PRIVATE'").expect("schools").into_iter().map(|(code,)| code).collect();
        tx.rollback().await.expect("ends");
        (persons, places, private)
    }

    async fn read(enrollment: &Db, aid: &Db, today: NaiveDate) -> Self {
        let (persons, places, private) = Self::source(enrollment).await;
        let mut tx = aid.read().await.expect("reads");
        let exceeding: BTreeSet<Uuid> = rows!(&mut tx, (Uuid,), "SELECT entry FROM quota_excess").expect("reads").into_iter().map(|(entry,)| entry).collect();
        type Line = (Uuid, String, String, Uuid, String, String, i32, NaiveDate, i64, String, Option<Uuid>, i32);
        let lines =
            "SELECT e.entry, e.school, e.scheme, e.person_key, e.name, e.months, e.state, e.recorded_day, e.recorded_at_us, e.tier, e.card_key, l.policy
                     FROM award_entries e JOIN award_lists l ON l.list = e.list";
        let entries = rows!(&mut tx, Line, lines)
            .expect("entries")
            .into_iter()
            .filter(|line| ![entry::State::Removed.code(), entry::State::SentBack.code()].contains(&line.6))
            .map(|(id, school, scheme, key, name, months, state, day, at, tier, card, policy)| Entry {
                id,
                school,
                scheme,
                second: policy == 2,
                key,
                name: comparable_name(&name),
                months: months.split(',').map(|month| month.parse().expect("a month")).collect(),
                listed: state != entry::State::Draft.code(),
                signed: [entry::State::Attested.code(), entry::State::Approved.code()].contains(&state),
                highest: tier == "三档",
                card,
                exceeds: exceeding.contains(&id),
                day,
                at,
            })
            .collect();
        // What was put right counts no more: months of a grant, a waiver as a whole.
        let corrected =
            "SELECT c.entry, c.months FROM award_corrections c JOIN dossier_items i ON i.dossier = c.dossier AND i.item = c.entry WHERE i.state = $1";
        let corrected: Vec<(Uuid, Vec<i32>)> = rows!(&mut tx, (Uuid, String), corrected, xuezhu_review::way::ItemState::Performed.code())
            .expect("corrections")
            .into_iter()
            .map(|(entry, months)| (entry, months.split(',').map(|month| month.parse().expect("a month")).collect()))
            .collect();
        let mut entries: Vec<Entry> = entries;
        for entry in &mut entries {
            for (_, months) in corrected.iter().filter(|(of, _)| *of == entry.id) {
                entry.months.retain(|month| entry.scheme == "GRANT" && !months.contains(month));
            }
        }
        entries.retain(|entry| !entry.months.is_empty());
        // What was signed of a dossier that holds, in the order in which it was.
        let signed = "SELECT l.person_key, l.name, l.level, l.from_day, l.to_day, l.recorded_day FROM hardship_levels l
                      JOIN dossier_items i ON i.dossier = l.dossier AND i.item = l.determination WHERE i.state = $1 ORDER BY l.determined_at_us, l.determination";
        let levels = rows!(&mut tx, (Uuid, String, String, NaiveDate, NaiveDate, NaiveDate), signed, xuezhu_review::way::ItemState::Performed.code())
            .expect("levels")
            .into_iter()
            .map(|(key, name, level, from, to, day)| Level { key, name: comparable_name(&name), is_one: !level.is_empty(), from, to, day })
            .collect();
        let said = "SELECT school, scheme, person_key, name, kind, recorded_day FROM student_statements WHERE state = 11 ORDER BY recorded_at_us, statement";
        let said = rows!(&mut tx, (String, String, Uuid, String, i32, NaiveDate), said)
            .expect("statements")
            .into_iter()
            .map(|(school, scheme, key, name, kind, day)| Said { school, scheme, key, name: comparable_name(&name), asks: kind == 1, day })
            .collect();
        tx.rollback().await.expect("ends");
        Self { persons, places, entries, levels, said, private, today }
    }

    fn who(&self, entry: &Entry) -> Option<Uuid> {
        self.meant(entry.key, &entry.name, entry.day)
    }

    /// Whom a number and a name mean that were written on a day.
    fn meant(&self, number: Uuid, written: &str, day: NaiveDate) -> Option<Uuid> {
        let good = |end: Option<NaiveDate>| end.is_none_or(|end| day <= end);
        let called = |person: &Person| person.names.iter().any(|(name, end)| name == written && good(*end));
        let mut holders: Vec<(bool, bool, Uuid)> = self
            .persons
            .iter()
            .filter_map(|(id, person)| {
                let (_, kind, _) = person.keys.iter().find(|(key, _, end)| *key == number && good(*end))?;
                Some((called(person), *kind == PRESENT, *id))
            })
            .collect();
        holders.sort_unstable_by_key(|(called, current, _)| (*called, *current));
        holders.last().map(|(.., id)| *id)
    }

    fn in_school(&self, person: Uuid, on: NaiveDate) -> Vec<&str> {
        self.periods(person, on).into_iter().map(|(school, _)| school).collect()
    }

    fn periods(&self, person: Uuid, on: NaiveDate) -> Vec<(&str, &Period)> {
        let theirs = self.places.iter().filter(|place| place.person == Some(person));
        theirs.filter_map(|place| Some((place.school.as_str(), place.periods.iter().find(|period| period.holds(on))?))).collect()
    }

    /// The day by which a month of a scheme goes. By the second version none of a grant in which somebody leaves school altogether.
    fn day_of(&self, person: Uuid, scheme: &str, month: i32, second: bool) -> Option<NaiveDate> {
        if scheme == "TUITION_WAIVER" {
            return Some(date(COUNT_DAY));
        }
        let first = NaiveDate::from_ymd_opt(month / 100, u32::try_from(month % 100).expect("a month"), 1).expect("a day");
        let last = first.iter_days().take_while(|day| day.month() == first.month()).last().expect("a month has days");
        if second && self.in_school(person, last).is_empty() {
            return None;
        }
        if month != MONTHS[0] {
            return Some(first);
        }
        first.iter_days().take_while(|day| day.month() == first.month()).find(|day| !self.in_school(person, *day).is_empty())
    }

    fn owners(&self, person: Uuid, scheme: &str, month: i32, second: bool) -> Vec<&str> {
        self.day_of(person, scheme, month, second).map(|day| self.in_school(person, day)).unwrap_or_default()
    }

    fn is_poor(&self, person: Uuid, on: NaiveDate) -> bool {
        let of = |level: &&Level| self.meant(level.key, &level.name, level.day) == Some(person) && level.from <= on && on < level.to;
        self.levels.iter().rfind(of).is_some_and(|level| level.is_one)
    }

    /// What somebody said last at a school of a scheme: whether it is asked for.
    fn asks(&self, person: Uuid, school: &str, scheme: &str) -> Option<bool> {
        let theirs = |said: &&Said| said.school == school && said.scheme == scheme && self.meant(said.key, &said.name, said.day) == Some(person);
        self.said.iter().rfind(theirs).map(|said| said.asks)
    }

    /// Whether the policy gives a scheme to a student: all of these are in their first year, and of no special area.
    fn gives(period: &Period, scheme: &str, is_poor: bool, second: bool) -> bool {
        let by_waiver = period.rural || (second && period.nursing);
        period.full_time && (period.agricultural || is_poor || (scheme == "TUITION_WAIVER" && by_waiver))
    }

    /// Whether a school is let in at all: by the second version no private one is to a grant.
    fn lets_in(&self, school: &str, scheme: &str, second: bool) -> bool {
        !(second && scheme == "GRANT" && self.private.contains(school))
    }

    fn is_given(&self, entry: &Entry, person: Uuid, month: i32) -> bool {
        let Some(day) = self.day_of(person, &entry.scheme, month, entry.second) else { return false };
        if !self.lets_in(&entry.school, &entry.scheme, entry.second) {
            return false;
        }
        let here = self.periods(person, day).into_iter().filter(|(school, _)| *school == entry.school);
        here.into_iter().any(|(_, period)| Self::gives(period, &entry.scheme, self.is_poor(person, day), entry.second))
    }

    /// Entries of whom a submission waits under a number that is neither the entry's nor the person's present one.
    fn met_by_a_number_of_before(&self) -> usize {
        let met = |entry: &&Entry| {
            let Some(person) = self.who(entry).map(|id| &self.persons[&id]) else { return false };
            let present = |key: Uuid| person.keys.iter().any(|(known, kind, _)| *known == key && *kind == PRESENT);
            self.places.iter().any(|place| {
                place.person.is_none()
                    && place.school == entry.school
                    && place.key != entry.key
                    && !present(place.key)
                    && person.waits_as(place)
                    && entry.months.iter().any(|month| self.place_rule(entry, self.who(entry), *month) == Some("NOT_YET_REGISTERED"))
            })
        };
        self.entries.iter().filter(met).count()
    }

    fn place_rule(&self, entry: &Entry, person: Option<Uuid>, month: i32) -> Option<&'static str> {
        let waits = self.places.iter().any(|place| {
            let here = place.person.is_none() && place.school == entry.school;
            here && person.map_or(place.key == entry.key, |person| self.persons[&person].waits_as(place))
        });
        let owners = person.map(|person| self.owners(person, &entry.scheme, month, entry.second)).unwrap_or_default();
        let approved_here = person.is_some() && self.places.iter().any(|place| place.person == person && place.school == entry.school);
        if owners.contains(&entry.school.as_str()) {
            None
        } else if !owners.is_empty() {
            Some("OTHER_SCHOOL")
        } else if waits {
            Some("NOT_YET_REGISTERED")
        } else if approved_here {
            Some("NOT_VALID_IN_TERM")
        } else {
            Some("NO_ENROLLMENT")
        }
    }

    /// Entries of lists of the second version with a month that the first would have given: for the month of leaving, and for the school; and
    /// with one that the first would not have given, for the major.
    fn otherwise_by_the_second(&self) -> [usize; 3] {
        let second = || self.entries.iter().filter_map(|entry| Some((entry, self.who(entry).filter(|_| entry.second)?)));
        let stops = |(entry, person): &(&Entry, Uuid)| {
            let owners = |month: i32, second: bool| self.owners(*person, &entry.scheme, month, second);
            entry.months.iter().any(|month| owners(*month, false).contains(&entry.school.as_str()) && owners(*month, true).is_empty())
        };
        let barred = |(entry, person): &(&Entry, Uuid)| {
            let is_barred = !self.lets_in(&entry.school, &entry.scheme, true);
            is_barred && entry.months.iter().any(|month| self.place_rule(entry, Some(*person), *month).is_none())
        };
        let let_in = |(entry, person): &(&Entry, Uuid)| {
            let before = Entry { second: false, ..(*entry).clone() };
            entry.months.iter().any(|month| self.is_given(entry, *person, *month) && !self.is_given(&before, *person, *month))
        };
        [second().filter(stops).count(), second().filter(barred).count(), second().filter(let_in).count()]
    }

    fn findings(&self) -> Found {
        let mut found = Found::new();
        for entry in &self.entries {
            let person = self.who(entry);
            for rule in ["NO_ENROLLMENT", "NOT_YET_REGISTERED", "NOT_VALID_IN_TERM", "OTHER_SCHOOL"] {
                let months: Vec<i32> = entry.months.iter().copied().filter(|month| self.place_rule(entry, person, *month) == Some(rule)).collect();
                if !months.is_empty() {
                    found.insert((rule.into(), entry.id.to_string(), months));
                }
            }
            if let Some(id) = person {
                let is_excluded = |month: &i32| self.place_rule(entry, person, *month).is_none() && !self.is_given(entry, id, *month);
                let months: Vec<i32> = entry.months.iter().copied().filter(is_excluded).collect();
                if !months.is_empty() {
                    found.insert(("NOT_ELIGIBLE".into(), entry.id.to_string(), months));
                }
            }
            if let Some(id) = person.filter(|_| entry.highest) {
                // For whom it is nobody has here.
                let is_over = |month: &i32| self.place_rule(entry, person, *month).is_none() && self.is_given(entry, id, *month);
                let months: Vec<i32> = entry.months.iter().copied().filter(is_over).collect();
                if !months.is_empty() {
                    found.insert(("OVER_RATE".into(), entry.id.to_string(), months));
                }
            }
            if let Some(id) = person.filter(|id| entry.signed && entry.scheme == "GRANT" && self.asks(*id, &entry.school, "GRANT") != Some(true)) {
                let months: Vec<i32> = entry.months.iter().copied().filter(|month| self.place_rule(entry, Some(id), *month).is_none()).collect();
                if !months.is_empty() {
                    found.insert(("FILE_INCOMPLETE".into(), entry.id.to_string(), months));
                }
            }
            if entry.exceeds && entry.listed {
                found.insert(("OVER_QUOTA".into(), entry.id.to_string(), entry.months.clone()));
            }
            if entry.scheme == "GRANT" && self.shares_card(entry) {
                found.insert(("PAYEE_MISMATCH".into(), entry.id.to_string(), entry.months.clone()));
            }
            if let Some(person) = person.map(|id| &self.persons[&id]) {
                if !person.names.iter().any(|(name, end)| *name == entry.name && end.is_none_or(|end| entry.day <= end)) {
                    found.insert(("IDENTITY_MISMATCH".into(), entry.id.to_string(), entry.months.clone()));
                }
                if person.unconfirmed {
                    found.insert(("IDENTITY_UNVERIFIED".into(), entry.id.to_string(), entry.months.clone()));
                }
            }
            let lost = self.lost_months(entry, person);
            if !lost.is_empty() {
                found.insert(("DUPLICATE_AWARD".into(), entry.id.to_string(), lost));
            }
        }
        for id in self.persons.keys() {
            self.omissions(*id, &mut found);
        }
        found
    }

    /// Whether an entry of somebody else, as far as numbers tell, names the same card.
    fn shares_card(&self, entry: &Entry) -> bool {
        let mut own = BTreeSet::from([entry.key]);
        loop {
            let of = |person: &&Person| person.keys.iter().any(|(key, ..)| own.contains(key));
            let beside: BTreeSet<Uuid> = self.persons.values().filter(of).flat_map(|person| &person.keys).map(|(key, ..)| *key).collect();
            if beside.is_subset(&own) {
                break;
            }
            own.extend(beside);
        }
        entry.card.is_some() && self.entries.iter().any(|other| other.card == entry.card && !own.contains(&other.key))
    }

    /// Entries that compete with one for a month, itself among them, and those of them that the timeline supports.
    fn rivals(&self, entry: &Entry, person: Option<Uuid>, month: i32) -> (Vec<&Entry>, Vec<&Entry>) {
        let same = |other: &&Entry| {
            other.scheme == entry.scheme && if person.is_some() { self.who(other) == person } else { self.who(other).is_none() && other.key == entry.key }
        };
        let rivals: Vec<&Entry> = self.entries.iter().filter(same).filter(|other| other.months.contains(&month)).collect();
        // All of them go by the list of the earliest.
        let second = rivals.iter().min_by_key(|rival| (rival.at, rival.id)).is_some_and(|rival| rival.second);
        let owners = person.map(|person| self.owners(person, &entry.scheme, month, second)).unwrap_or_default();
        let supported = rivals.iter().copied().filter(|rival| owners.contains(&rival.school.as_str())).collect();
        (rivals, supported)
    }

    fn lost_months(&self, entry: &Entry, person: Option<Uuid>) -> Vec<i32> {
        let loses = |month: &i32| {
            let (rivals, supported) = self.rivals(entry, person, *month);
            earliest(&supported).or_else(|| earliest(&rivals)) != Some(entry.id)
        };
        entry.months.iter().copied().filter(loses).collect()
    }

    /// Entries of a month of which several are supported, and the earliest of all is not.
    fn later_than_an_unsupported_one(&self) -> usize {
        let later = |entry: &&Entry| {
            entry.months.iter().any(|month| {
                let (rivals, supported) = self.rivals(entry, self.who(entry), *month);
                supported.len() > 1 && earliest(&rivals) != earliest(&supported)
            })
        };
        self.entries.iter().filter(later).count()
    }

    fn omissions(&self, id: Uuid, found: &mut Found) {
        let person = &self.persons[&id];
        for place in self.places.iter().filter(|place| place.person == Some(id)) {
            let Some(approved) = place.approved else { continue };
            for scheme in ["GRANT", "TUITION_WAIVER"] {
                let is_line = |entry: &&Entry| entry.listed && entry.scheme == scheme && entry.school == place.school;
                let listed = self.entries.iter().filter(is_line).any(|entry| self.who(entry) == Some(id));
                // A level asks for no list: only what is known of everybody does.
                let counted = place.periods.iter().find(|period| period.holds(date(COUNT_DAY)));
                let second = self.today >= date(SECOND);
                let has_month = |month: &i32| self.owners(id, scheme, *month, second).contains(&place.school.as_str());
                let is_due = !second || scheme != "GRANT" || MONTHS.iter().any(has_month);
                let there = is_due && counted.is_some_and(|period| Self::gives(period, scheme, false, second));
                let due = date(DUE).max(add_working_days(approved, 10));
                // The autumn term ends with January; all of these students began in it.
                let wanted = self.asks(id, &place.school, scheme) != Some(false) && self.lets_in(&place.school, scheme, second);
                if !person.unconfirmed && wanted && there && !listed && self.today > due && place.entry.max(approved) < date("2027-02-01") {
                    found.insert(("MISSING_AWARD".into(), format!("{id} {} {scheme}", place.school), MONTHS.to_vec()));
                }
            }
        }
    }
}

fn earliest(entries: &[&Entry]) -> Option<Uuid> {
    entries.iter().min_by_key(|entry| (entry.at, entry.id)).map(|entry| entry.id)
}

async fn open_flags(aid: &Db) -> Found {
    type Row = (i32, Option<Uuid>, Option<Uuid>, String, String, String);
    let mut tx = aid.read().await.expect("reads");
    let flags =
        rows!(&mut tx, Row, "SELECT rule, entry, person, school, scheme, months FROM flags WHERE state < $1", life::State::FIRST_CLOSED).expect("flags");
    tx.rollback().await.expect("ends");
    flags
        .into_iter()
        .map(|(rule, entry, person, school, scheme, months)| {
            let about = entry.map_or_else(|| format!("{} {school} {scheme}", person.unwrap_or_default()), |entry| entry.to_string());
            (Rule::from_code(rule).expect("a rule").as_str().to_owned(), about, months.split(',').map(|month| month.parse().expect("a month")).collect())
        })
        .collect()
}

// ── the histories ──────────────────────────────────────────────────────────────────────────────────────────────

/// What stood in the roll at a position: enrollment, first day, first day after it, state, class, major.
type Stood = BTreeSet<(Uuid, NaiveDate, Option<NaiveDate>, i32, String, String)>;

/// Everything that was known at a position of the source, written down when it was reached.
struct Known {
    token: String,
    stood: Stood,
}

async fn known_now(enrollment: &Db) -> Known {
    let mut head = None;
    xuezhu_tests::until("every change has its position", async || {
        head = settled_head(enrollment).await.expect("reads");
        head.is_some()
    })
    .await;
    let mut tx = enrollment.read().await.expect("reads");
    let known = resolve(&mut tx, When::Time(i64::MAX)).await.expect("reads").expect("is known");
    assert_eq!(Some(known.position), head, "now everything is known");
    type Row = (Uuid, NaiveDate, Option<NaiveDate>, i32, String, String);
    let stood = rows!(&mut tx, Row, "SELECT enrollment, from_date, to_date, state, class_name, major FROM periods WHERE until_version IS NULL").expect("reads");
    tx.rollback().await.expect("ends");
    Known { token: known.to_string(), stood: stood.into_iter().collect() }
}

/// What the interface says of both schools' rolls on a day, as it was known: enrollment, state, class, major.
async fn told(officer: &Session, day: NaiveDate, known: &Known) -> BTreeSet<(Uuid, String, String, String)> {
    let mut told = BTreeSet::new();
    for school in [SCHOOL, OTHER] {
        let path = format!("/v1/schools/{school}/enrollments?pageSize=1000&asOf={day}&knownAt={}", known.token);
        let answer = officer.get(&path).await.expect("is told");
        assert_eq!(answer["knownAt"], known.token.as_str());
        let rows = answer["enrollments"].as_array().expect("a list");
        assert_eq!(answer["totalSize"], rows.len(), "{answer}");
        told.extend(rows.iter().map(|row| {
            let text = |field: &str| row[field].as_str().expect("a text").to_owned();
            (text("enrollment").parse().expect("an id"), text("state"), text("className"), text("major"))
        }));
    }
    told
}

/// What was known at any time is told as it was known then, whatever was recorded later, and wherever the log was forgotten since.
async fn assert_told_as_known(officer: &Session, random: &mut StdRng, all: &[Known], when: &str) {
    for known in all {
        let days: Vec<NaiveDate> = known.stood.iter().flat_map(|row| [row.1, row.1 - chrono::Days::new(1)].into_iter().chain(row.2)).collect();
        for day in days.choose_multiple(random, 3) {
            let holds = |row: &&(Uuid, NaiveDate, Option<NaiveDate>, i32, String, String)| row.1 <= *day && row.2.is_none_or(|to| *day < to);
            let said = |row: &(Uuid, NaiveDate, Option<NaiveDate>, i32, String, String)| {
                (row.0, State::from_code(row.3).expect("a state").as_str().to_owned(), row.4.clone(), row.5.clone())
            };
            let expected: BTreeSet<_> = known.stood.iter().filter(holds).map(said).collect();
            assert_eq!(told(officer, *day, known).await, expected, "{when}: {day} at {}", known.token);
        }
    }
}

/// What must hold of the roll at any time: nobody studies in two places on a day, who has a place is where it says, and what was shared
/// last is what is shared now.
async fn assert_sound(enrollment: &Db, when: &str) {
    let mut tx = enrollment.begin().await.expect("begins");
    type Row = (Uuid, Uuid, NaiveDate, Option<NaiveDate>, i32);
    let periods = "SELECT e.person, e.enrollment, p.from_date, p.to_date, p.state FROM periods p JOIN enrollments e ON e.enrollment = p.enrollment
                   WHERE p.until_version IS NULL ORDER BY e.person, p.from_date, p.to_date";
    let periods = rows!(&mut tx, Row, periods).expect("reads");
    let occupies = |row: &&Row| State::from_code(row.4).expect("a state").meaning().occupies;
    let held: Vec<&Row> = periods.iter().filter(occupies).collect();
    for pair in held.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[0].3.is_some_and(|to| to <= pair[1].2), "{when}: two places at once: {pair:?}");
    }
    let open: BTreeSet<(Uuid, Uuid)> = held.iter().filter(|row| row.3.is_none()).map(|row| (row.0, row.1)).collect();
    let places: BTreeSet<(Uuid, Uuid)> = rows!(&mut tx, (Uuid, Uuid), "SELECT person, enrollment FROM places").expect("reads").into_iter().collect();
    assert_eq!(places, open, "{when}");
    for kind in [Kind::School, Kind::Person, Kind::Enrollment].map(|kind| kind as i32) {
        let shared = rows!(&mut tx, (Uuid, Vec<u8>), "SELECT record, body FROM shared_records WHERE kind = $1", kind).expect("reads");
        let ids = shared.iter().map(|(record, _)| *record).collect();
        let mut made: HashMap<Uuid, _> =
            sharing::renewed(&mut tx, kind, ids).await.expect("are made").into_iter().map(|shared| (shared.id, shared.body)).collect();
        for (record, body) in shared {
            let body = pb::Record::decode(&body[..]).expect("decodes").body;
            // Who edits what was sent back tells nobody before it is submitted again; what was taken off the books is told of no more.
            match made.remove(&record) {
                None => {}
                Some(Body::Enrollment(claim)) if claim.stage() == Stage::SentBack => {
                    assert!(matches!(body, Some(Body::Enrollment(told)) if told.stage() == Stage::SentBack), "{when}");
                }
                Some(made) => assert_eq!(body, Some(made), "{when}"),
            }
        }
    }
    tx.rollback().await.expect("ends");
}

/// Policy of a history: a place for one of each school, tiers for some alone, and a grant that is asked for in writing.
fn policy() -> String {
    let quota = "[[quota]]\nid = \"one\"\nscheme = \"GRANT\"\nfrom = \"2020-AUTUMN\"\neach = \"SCHOOL\"\npersons = 1\nlimits = [\"HARDSHIP\", \"AGRICULTURAL_MAJOR\"]\nsource = \"文件\"\n\n";
    let tiers = [
        ("yuan = 2300 }", "yuan = 2300, levels = [\"困难\"], grounds = [\"AGRICULTURAL_MAJOR\"] }"),
        ("yuan = 3300 }", "yuan = 3300, levels = [\"特别困难\"] }"),
    ];
    let text = tiers.iter().fold(AT_ONCE.clone(), |text, (from, to)| text.replace(from, to));
    let text = text.replacen("payee = \"STUDENT\"\n", "payee = \"STUDENT\"\nasks = [\"APPLICATION\"]\n", 1);
    text.replacen("[[scheme]]", &format!("{quota}[[scheme]]"), 1)
}

/// What the second version says otherwise: aid stops with the month in which somebody leaves, no private school is given the grant, nursing is free of
/// tuition, and lists are shown publicly before they are signed.
fn second_policy() -> String {
    let freed = policy().replacen("\"2010-141000\", \"2021-750203\"", "\"2010-100100\"", 1);
    assert_ne!(freed, policy(), "the list is there");
    let stops = freed.replacen("count_day = \"09-30\"", "count_day = \"09-30\"\nstop = \"SAME_MONTH\"", 1);
    let rows = "[[private]]\nschemes = [\"GRANT\"]\nfrom = \"2020-AUTUMN\"\nschools = []\nsource = \"文件\"\n\n\
                [[notice]]\nfrom = \"2020-AUTUMN\"\norder = \"BEFORE_SIGNATURE\"\nworking_days = 5\nsource = \"文件\"\n\n";
    stops.replacen("[[scheme]]", &format!("{rows}[[scheme]]"), 1)
}

/// What became of entries, act by act.
#[derive(Default)]
struct Watched {
    states: HashMap<Uuid, i32>,
    /// How many were signed after a notice.
    noticed: usize,
}

impl Watched {
    /// Whoever was signed since, of a list that is shown publicly, was shown until the day before, and nothing is said of them that stands in the way.
    async fn look(&mut self, aid: &Db, today: NaiveDate, when: &str) {
        let mut tx = aid.read().await.expect("reads");
        type Row = (Uuid, i32, i32, i64, i64);
        // Whom a correction took off the list in the same act stood on the notice when that was signed.
        let entries = "SELECT e.entry, e.state, l.policy,
                              (SELECT count(*) FROM notice_entries s JOIN notices n ON n.notice = s.notice WHERE s.entry = e.entry AND n.last_day < $1
                                 AND (NOT s.gone OR EXISTS (SELECT 1 FROM award_corrections c WHERE c.entry = e.entry))),
                              (SELECT count(*) FROM objections o WHERE o.entry = e.entry AND o.state < 50)
                       FROM award_entries e JOIN award_lists l ON l.list = e.list";
        let rows = rows!(&mut tx, Row, entries, today).expect("reads");
        tx.rollback().await.expect("ends");
        for (entry, state, policy, shown, objected) in rows {
            let before = self.states.insert(entry, state);
            let is_signed = [entry::State::Attested.code(), entry::State::Approved.code()].contains(&state);
            if policy == 2 && is_signed && before != Some(state) {
                assert!(shown > 0 && objected == 0, "{when}: {entry} was signed: shown {shown}, objected {objected}");
                self.noticed += 1;
            }
        }
    }
}

/// However lists were approved, corrected and approved again: no more are let in than there are places.
async fn assert_places(aid: &Db, when: &str) -> usize {
    let mut tx = aid.read().await.expect("reads");
    let places = "SELECT a.school, count(*) FROM quota_places q JOIN award_entries a ON a.entry = q.entry
                  WHERE a.state = $1 AND NOT a.gone GROUP BY a.school";
    let taken = rows!(&mut tx, (String, i64), places, entry::State::Approved.code()).expect("reads");
    tx.rollback().await.expect("ends");
    assert!(taken.iter().all(|(_, count)| *count <= 1), "{when}: {taken:?}");
    taken.len()
}

/// What is decided on, as naively as can be: months, money and all of the evidence but ids of the source, classes and where policies stand.
type Facts = (String, i64, String);

fn facts(months: &str, amount_fen: i64, evidence: &str) -> Facts {
    let mut evidence: Value = serde_json::from_str(evidence).expect("is JSON");
    let shown = evidence.as_object_mut().expect("an object");
    shown.retain(|name, _| !name.starts_with("policy"));
    if let Some(claim) = shown.get_mut("claim").and_then(Value::as_object_mut) {
        claim.remove("recorded_day");
    }
    for place in shown.get_mut("enrollments").and_then(Value::as_array_mut).into_iter().flatten() {
        place.as_object_mut().expect("a place").remove("enrollment");
        for period in place["periods"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            period.retain(|name, _| !matches!(name.as_str(), "class_name" | "major"));
        }
    }
    for list in ["enrollments", "rivals"] {
        if let Some(list) = shown.get_mut(list).and_then(Value::as_array_mut) {
            list.sort_by_key(ToString::to_string);
        }
    }
    (months.to_owned(), amount_fen, evidence.to_string())
}

/// What the department decided in a history, and what is held against what became of it.
struct Decisions {
    random: StdRng,
    /// Numbers of keys: an answer shows none.
    numbers: HashMap<Uuid, String>,
    /// For what no fault was found last, by flag; gone with a later confirmation.
    cleared: HashMap<Uuid, Facts>,
    /// Flags that were ever confirmed.
    confirmed: BTreeSet<Uuid>,
}

impl Decisions {
    fn new(seed: u64, keyring: &Keyring) -> Self {
        let numbers = (0..NUMBERS).chain(300..300 + NUMBERS).map(|serial| {
            let parsed = IdNumber::parse("居民身份证", &number(serial), NaiveDate::MAX).unwrap_or_else(|_| panic!("{serial} is a number"));
            (keyring.person_key(&parsed).0, number(serial))
        });
        Self { random: StdRng::seed_from_u64(seed), numbers: numbers.collect(), cleared: HashMap::new(), confirmed: BTreeSet::new() }
    }

    /// Decides a flag that waits, or has the entry of one that was cleared sent back and come again.
    async fn act(&mut self, history: &History, aid: &Db) {
        if self.random.random_bool(0.5) || self.cleared.is_empty() {
            self.decide(history, aid).await;
        } else {
            self.come_again(history, aid).await;
        }
    }

    async fn decide(&mut self, history: &History, aid: &Db) {
        let confirms = self.random.random_bool(0.2);
        let state = *["OPEN", "OPEN", "CLEARED"].choose(&mut self.random).expect("one");
        let flags = history.officer.get(&format!("/v1/flags?state={state}&pageSize=1000")).await.expect("flags");
        let Some(flag) = flags["flags"].as_array().and_then(|flags| flags.choose(&mut self.random)) else { return };
        let id: Uuid = flag["flag"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let act = if confirms { "confirm" } else { "clear" };
        if history.officer.post(&format!("/v1/flags/{id}/{act}"), &json!({ "reason": "测试" }), "").await.is_err() {
            return;
        }
        if confirms {
            self.cleared.remove(&id);
            self.confirmed.insert(id);
            return;
        }
        let mut tx = aid.read().await.expect("reads");
        let (months, amount_fen, evidence) =
            one!(&mut tx, (String, i64, String), "SELECT months, amount_fen, evidence FROM flags WHERE flag = $1", id).expect("reads").expect("a flag");
        tx.rollback().await.expect("ends");
        self.cleared.insert(id, facts(&months, amount_fen, &evidence));
    }

    /// The entry of a cleared flag is sent back, from wherever it stands, and comes again: byte for byte, or with other months.
    async fn come_again(&mut self, history: &History, aid: &Db) {
        let flags: Vec<Uuid> = self.cleared.keys().copied().collect();
        let Some(flag) = flags.iter().min_by_key(|_| self.random.random::<u32>()) else { return };
        type Row = (Uuid, Uuid, String, String, Uuid, String, i32);
        let mut tx = aid.read().await.expect("reads");
        let entry = "SELECT a.entry, a.list, a.school, a.name, a.person_key, a.months, a.state FROM flags f JOIN award_entries a ON a.entry = f.entry WHERE f.flag = $1";
        let row = one!(&mut tx, Row, entry, *flag).expect("reads");
        tx.rollback().await.expect("ends");
        let Some((entry, list, school, name, key, months, state)) = row else { return };
        let (Some(number), Some(state)) = (self.numbers.get(&key), entry::State::from_code(state)) else { return };
        let (school, clerk, head) = history.desks.iter().find(|(known, ..)| *known == school).expect("a school");
        let path = format!("/v1/schools/{school}/awardLists/{list}");
        let back = json!({ "reason": "请核对", "entries": [entry.to_string()] });
        let sent_back = match state {
            entry::State::Draft => {
                clerk.post(&format!("{path}/submit"), &json!({}), "").await.is_ok() && head.post(&format!("{path}/sendBack"), &back, "").await.is_ok()
            }
            entry::State::Submitted => head.post(&format!("{path}/sendBack"), &back, "").await.is_ok(),
            entry::State::Attested => history.officer.post(&format!("{path}/sendBack"), &back, "").await.is_ok(),
            entry::State::SentBack => true,
            entry::State::Approved | entry::State::Removed => false,
        };
        if !sent_back {
            return;
        }
        let numbers: Vec<i32> = months.split(',').map(|month| month.parse::<i32>().expect("a month") % 100).collect();
        let (begin, end) = (numbers[0], numbers[numbers.len() - 1]);
        let same = if numbers.len() == 1 { begin.to_string() } else { format!("{begin}-{end}") };
        let months = if self.random.random_bool(0.7) { same } else { "10".to_owned() };
        clerk.upload(&format!("{path}/import"), awards(&[(&name, number, &months)]), "").await.ok();
    }

    /// Nobody is asked twice about what was found to be no fault, nobody is let go on other evidence; what was confirmed is on record.
    /// Returns how often something was remembered.
    async fn hold(&self, aid: &Db, when: &str) -> usize {
        type Row = (Uuid, i32, String, i64, String);
        let mut tx = aid.read().await.expect("reads");
        let open = "SELECT flag, state, months, amount_fen, evidence FROM flags WHERE state < $1";
        for (flag, state, months, amount_fen, evidence) in rows!(&mut tx, Row, open, life::State::FIRST_CLOSED).expect("flags") {
            let is_cleared = state == life::State::Cleared.code();
            let now = facts(&months, amount_fen, &evidence);
            match self.cleared.get(&flag) {
                Some(then) if *then == now => assert!(is_cleared, "{when}: {flag} is asked about twice: {now:?}"),
                Some(then) => assert!(!is_cleared || (&then.0, then.1) == (&now.0, now.1), "{when}: {flag} is let go for {now:?}, not {then:?}"),
                None => assert!(!is_cleared, "{when}: nobody cleared {flag}"),
            }
        }
        let cases: BTreeSet<Uuid> = rows!(&mut tx, (Uuid,), "SELECT flag FROM cases").expect("cases").into_iter().map(|(flag,)| flag).collect();
        assert_eq!(cases, self.confirmed, "{when}: what was confirmed is on record");
        let remembered = one!(&mut tx, (i64,), "SELECT count(*) FROM flag_steps WHERE act = $1", life::Step::Remembered.code()).expect("reads");
        tx.rollback().await.expect("ends");
        remembered.and_then(|(count,)| usize::try_from(count).ok()).unwrap_or_default()
    }
}

struct History {
    random: StdRng,
    deployment: Deployment,
    desks: [(&'static str, Session, Session); 2],
    officer: Session,
    admin: Session,
    day: NaiveDate,
    acts: BTreeMap<&'static str, usize>,
}

impl History {
    fn name(&mut self, serial: u32) -> String {
        let right = student(serial)["姓名"].clone();
        if self.random.random_bool(0.8) { right } else { student(serial + 100)["姓名"].clone() }
    }

    /// An act that may well be refused; what was done is counted. Returns whether it is worth a look at once.
    async fn act(&mut self) -> bool {
        let desk = self.random.random_range(0..2);
        let (school, clerk, head) = self.desks[desk].clone();
        let done = match self.random.random_range(0..100) {
            0..16 => ("import", self.import(school, &clerk).await),
            16..31 => ("register", self.register(school, &clerk, &head).await),
            31..45 => ("change", self.change(school, &clerk).await),
            45..52 => ("correct", self.correct(school).await),
            52..63 => ("upload", self.upload(school, &clerk).await),
            63..67 => ("list twice", self.list_twice(desk).await),
            67..75 => ("come back", self.come_back(school, &clerk).await),
            75..85 => ("decide", self.decide(school, &clerk, &head).await),
            85..88 => ("put right", self.put_right(school, &clerk, &head).await),
            88 => ("object", self.object(school, &clerk).await),
            89..92 => ("hardship", self.hardship(school, &clerk, &head).await),
            92..94 => ("sign", self.sign(school, &clerk).await),
            94 => ("own", self.own(school).await),
            _ => {
                let days = self.random.random_range(1..32);
                self.step(days).await;
                ("step", true)
            }
        };
        *self.acts.entry(done.0).or_default() += usize::from(done.1);
        matches!(done, ("come back" | "list twice", true))
    }

    async fn import(&mut self, school: &str, clerk: &Session) -> bool {
        let rows: Vec<_> = (0..self.random.random_range(1..4))
            .map(|_| {
                let serial = self.random.random_range(0..NUMBERS);
                let mut row = student(serial);
                row.insert("姓名".into(), self.name(serial));
                row.insert("入学年月".into(), ["202609", "202609", "202611"].choose(&mut self.random).expect("one").to_string());
                let mut at_times = |odds: f64, cells: &[(&str, &str)]| {
                    if self.random.random_bool(odds) {
                        row.extend(cells.iter().map(|(header, value)| ((*header).to_owned(), (*value).to_owned())));
                    }
                };
                at_times(0.2, &[("专业简称", "护理")]);
                at_times(0.2, &[("户口性质", "非农业户口"), ("学生居住地类型", "城市")]);
                // Whom nothing but the second version lets in.
                at_times(0.2, &[("专业简称", "护理"), ("户口性质", "非农业户口"), ("学生居住地类型", "城市")]);
                at_times(0.1, &[("学习形式", "非全日制")]);
                row
            })
            .collect();
        clerk.upload(&format!("/v1/schools/{school}/enrollments/import"), workbook(&rows), "").await.is_ok()
    }

    async fn register(&mut self, school: &str, clerk: &Session, head: &Session) -> bool {
        let path = format!("/v1/schools/{school}/submissions");
        if let Ok(made) = clerk.post(&path, &json!({ "allDrafts": true }), "").await
            && self.random.random_bool(0.8)
        {
            let path = format!("{path}/{}", made["submission"].as_str().expect("an id"));
            if self.random.random_bool(0.15) {
                return head.post(&format!("{path}/sendBack"), &json!({ "reason": "请核对" }), "").await.is_ok();
            }
            head.post(&format!("{path}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
            if self.random.random_bool(0.7) {
                return self.officer.post(&format!("{path}/approve"), &json!({ "digest": made["digest"] }), "").await.is_ok();
            }
        }
        false
    }

    async fn enrollment(&mut self, school: &str) -> Option<Value> {
        let listed = self.officer.get(&format!("/v1/schools/{school}/enrollments?pageSize=100")).await.ok()?;
        listed["enrollments"].as_array()?.choose(&mut self.random).cloned()
    }

    async fn change(&mut self, school: &str, clerk: &Session) -> bool {
        let Some(row) = self.enrollment(school).await else { return false };
        let verbs = ["leave", "return", "withdraw", "leave", "return", "cancelChange", "changeClass", "changeMajor", "neverCame"];
        let verb = *verbs.choose(&mut self.random).expect("one");
        let effective = self.day + chrono::TimeDelta::days(self.random.random_range(-40..20));
        let path = format!("/v1/schools/{school}/enrollments/{}/{verb}", row["enrollment"].as_str().expect("an id"));
        let mut body = json!({ "reason": "测试" });
        match verb {
            "neverCame" => return self.officer.post(&path, &body, "").await.is_ok(),
            "cancelChange" => {}
            _ => body["effectiveDate"] = json!(effective.to_string()),
        }
        match verb {
            "changeClass" => body["className"] = json!(format!("{}班", self.random.random_range(1..4))),
            "changeMajor" => body["major"] = json!(*["2010-010200", "2010-100100"].choose(&mut self.random).expect("one")),
            _ => {}
        }
        clerk.post(&path, &body, "").await.is_ok()
    }

    async fn correct(&mut self, school: &str) -> bool {
        let Some(row) = self.enrollment(school).await else { return false };
        let serial = self.random.random_range(0..NUMBERS);
        let (name, id) = match self.random.random_range(0..3) {
            0 => (student(serial + 200)["姓名"].clone(), String::new()),
            1 => (String::new(), number(serial)),
            _ => (String::new(), number(serial + 300)),
        };
        let kind = if self.random.random_bool(0.5) { "LAWFUL_CHANGE" } else { "MISTYPED" };
        let path = format!("/v1/schools/{school}/enrollments/{}/correctIdentity", row["enrollment"].as_str().expect("an id"));
        let body = json!({ "kind": kind, "effectiveDate": "2026-09-01", "name": name, "idNumber": id, "reason": "测试" });
        self.officer.post(&path, &body, "").await.is_ok()
    }

    /// A level is entered, or ends; mostly it is submitted and signed, at times sent back or refused.
    async fn hardship(&mut self, school: &str, clerk: &Session, head: &Session) -> bool {
        let mut done = false;
        for _ in 0..2 {
            let Some((_, row)) = self.known(school).await else { return done };
            let path = format!("/v1/schools/{school}/hardship");
            let ends = self.random.random_bool(0.25);
            let from = self.day - chrono::TimeDelta::days(self.random.random_range(-20..30));
            let mut body =
                json!({ "person": row["person"], "schoolYear": 2026, "fromDate": if self.random.random_bool(0.4) { String::new() } else { from.to_string() } });
            if !ends {
                body["level"] = json!("困难");
                body["family"] = json!({ "members": 4, "incomeFen": "40000", "cause": "测试", "pledged": true });
            }
            if clerk.post(&path, &body, "").await.is_err() {
                continue;
            }
            done = true;
            if self.random.random_bool(0.15) {
                continue;
            }
            let Ok(dossier) = clerk.post(&format!("{path}/submit"), &json!({ "schoolYear": 2026, "reason": "测试" }), "").await else { continue };
            let of = format!("/v1/aidDossiers/{}", dossier["dossier"].as_str().expect("an id"));
            match self.random.random_range(0..10) {
                0 => drop(head.post(&format!("{of}/sendBack"), &json!({ "reason": "请核对" }), "").await.expect("is sent back")),
                1 => drop(head.post(&format!("{of}/refuse"), &json!({ "reason": "不符" }), "").await.expect("is refused")),
                2 => {}
                _ => drop(head.post(&format!("{of}/sign"), &json!({ "digest": dossier["digest"] }), "").await.expect("is signed")),
            }
        }
        done
    }

    /// A school becomes somebody else's.
    async fn own(&mut self, school: &str) -> bool {
        let kind = *["PUBLIC", "PRIVATE", "PRIVATE"].choose(&mut self.random).expect("one");
        self.admin.post(&format!("/v1/schools/{school}/update"), &json!({ "kind": kind }), "").await.is_ok()
    }

    /// Something is said against somebody who is shown, and decided or not.
    async fn object(&mut self, school: &str, clerk: &Session) -> bool {
        let Ok(shown) = self.officer.get(&format!("/v1/notices?school={school}")).await else { return false };
        let Some(notice) = shown["notices"].as_array().and_then(|notices| notices.choose(&mut self.random)) else { return false };
        let path = format!("/v1/notices/{}", notice["notice"].as_str().expect("an id"));
        let whom = self.random.random_range(0..NUMBERS);
        let body = json!({ "className": "1班", "student": student(whom)["姓名"], "text": "测试" });
        let Ok(recorded) = self.officer.post(&format!("{path}/objections"), &body, "").await else { return false };
        let path = format!("/v1/objections/{}", recorded["objection"].as_str().expect("an id"));
        if self.random.random_bool(0.5) {
            let _ = clerk.post(&format!("{path}/answer"), &json!({ "text": "属实与否，已核" }), "").await;
        }
        if self.random.random_bool(0.7) {
            let body = json!({ "upheld": self.random.random_bool(0.4), "reason": "核实" });
            let _ = self.officer.post(&format!("{path}/decide"), &body, "").await;
        }
        true
    }

    /// All who said nothing yet ask for a scheme, or somebody does not want it, or takes back what was signed.
    async fn sign(&mut self, school: &str, clerk: &Session) -> bool {
        let path = format!("/v1/schools/{school}/statements");
        let scheme = if self.random.random_bool(0.8) { "GRANT" } else { "TUITION_WAIVER" };
        let mut body = json!({ "scheme": scheme, "term": TERM, "kind": "APPLICATION", "signer": "BOTH", "signedDate": self.day.to_string() });
        match self.random.random_range(0..10) {
            0..6 => clerk.post(&path, &body, "").await.is_ok(),
            6..9 => {
                let Some((_, row)) = self.known(school).await else { return false };
                body["persons"] = json!([row["person"]]);
                body["kind"] = json!(if self.random.random_bool(0.7) { "WAIVER" } else { "APPLICATION" });
                clerk.post(&path, &body, "").await.is_ok()
            }
            _ => {
                let class = format!("{}班", self.random.random_range(1..4));
                let mut of_class = reqwest::Url::parse("http://list/").expect("an address");
                of_class.query_pairs_mut().append_pair("scheme", scheme).append_pair("term", TERM).append_pair("className", &class);
                let said = clerk.get(&format!("{path}?{}", of_class.query().unwrap_or_default())).await.expect("statements");
                let rows = said["statements"].as_array().into_iter().flatten();
                let signed: Vec<&str> = rows.filter_map(|row| row["statement"].as_str()).filter(|id| !id.is_empty()).collect();
                let Some(statement) = signed.choose(&mut self.random) else { return false };
                clerk.post(&format!("{path}/{statement}/withdraw"), &json!({ "reason": "误登" }), "").await.is_ok()
            }
        }
    }

    /// Who left is submitted again, at either school, under the number of before; while that waits the number is corrected, and the
    /// present one is listed.
    async fn come_back(&mut self, school: &str, clerk: &Session) -> bool {
        let Some((serial, row)) = self.known(school).await else { return false };
        let (Some(enrollment), Some(name)) = (row["enrollment"].as_str(), row["name"].as_str()) else { return false };
        let path = format!("/v1/schools/{school}/enrollments/{enrollment}");
        // Mostly: somebody may have left already, or be enrolled still.
        if self.random.random_bool(0.95) {
            let body = json!({ "reason": "测试", "effectiveDate": (self.day - chrono::TimeDelta::days(self.random.random_range(0..20))).to_string() });
            let _ = clerk.post(&format!("{path}/withdraw"), &body, "").await;
        }
        let desk = self.random.random_range(0..2);
        let (to, clerk, _) = self.desks[desk].clone();
        let mut back = student(serial);
        back.insert("姓名".into(), name.into());
        back.insert("入学年月".into(), "202611".into());
        let imported = clerk.upload(&format!("/v1/schools/{to}/enrollments/import"), workbook(&[back]), "").await.is_ok();
        let submitted = imported && clerk.post(&format!("/v1/schools/{to}/submissions"), &json!({ "allDrafts": true }), "").await.is_ok();
        let kind = if self.random.random_bool(0.6) { "LAWFUL_CHANGE" } else { "MISTYPED" };
        let body = json!({ "kind": kind, "effectiveDate": "2026-09-01", "idNumber": number(serial + 300), "reason": "测试" });
        let corrected = submitted && self.officer.post(&format!("{path}/correctIdentity"), &body, "").await.is_ok();
        if !corrected {
            return false;
        }
        if self.random.random_bool(0.5) {
            self.step(1).await;
        }
        self.line(to, &clerk, name, serial + 300).await
    }

    /// A student is listed by the other school first, then by the own one under the number of before and under the present one.
    async fn list_twice(&mut self, desk: usize) -> bool {
        let ((school, clerk, _), (other, elsewhere, _)) = (self.desks[desk].clone(), self.desks[1 - desk].clone());
        let Some((serial, row)) = self.known(school).await else { return false };
        let (Some(enrollment), Some(name)) = (row["enrollment"].as_str(), row["name"].as_str()) else { return false };
        let listed = self.line(other, &elsewhere, name, serial).await && self.line(school, &clerk, name, serial).await;
        let path = format!("/v1/schools/{school}/enrollments/{enrollment}/correctIdentity");
        let body = json!({ "kind": "LAWFUL_CHANGE", "effectiveDate": "2026-09-01", "idNumber": number(serial + 300), "reason": "测试" });
        listed && self.officer.post(&path, &body, "").await.is_ok() && self.line(school, &clerk, name, serial + 300).await
    }

    /// One line more on a list of either scheme: one of them may be on its way already.
    async fn line(&mut self, school: &str, clerk: &Session, name: &str, serial: u32) -> bool {
        for _ in 0..3 {
            let Some(list) = self.list(school, clerk).await else { continue };
            let months = *["", "9-11", "12"].choose(&mut self.random).expect("one");
            if clerk.upload(&format!("{list}/import"), awards(&[(name, &number(serial), months)]), "").await.is_ok() {
                return true;
            }
        }
        false
    }

    /// Somebody of a school who is a person already, and their number.
    async fn known(&mut self, school: &str) -> Option<(u32, Value)> {
        let mut known = Vec::new();
        for serial in 0..NUMBERS {
            let found = self.officer.get(&format!("/v1/schools/{school}/enrollments?query={}", number(serial))).await.ok()?;
            let rows = found["enrollments"].as_array().into_iter().flatten().cloned();
            known.extend(rows.filter(|row| row["person"].as_str().is_some_and(|person| !person.is_empty())).map(|row| (serial, row)));
        }
        known.choose(&mut self.random).cloned()
    }

    async fn step(&mut self, days: u64) {
        self.day = (self.day + chrono::Days::new(days)).min(date("2027-01-28"));
        self.deployment.step_to(self.day).await.expect("steps");
    }

    async fn list(&mut self, school: &str, clerk: &Session) -> Option<String> {
        let scheme = if self.random.random_bool(0.6) { "GRANT" } else { "TUITION_WAIVER" };
        let made = clerk.post(&format!("/v1/schools/{school}/awardLists"), &json!({ "scheme": scheme, "term": TERM }), "").await.ok()?;
        Some(format!("/v1/schools/{school}/awardLists/{}", made["list"].as_str().expect("an id")))
    }

    async fn upload(&mut self, school: &str, clerk: &Session) -> bool {
        let Some(path) = self.list(school, clerk).await else { return false };
        let mut text = String::from("姓名,身份证件类型,身份证件号,月份,档次,银行卡号\n");
        for _ in 0..self.random.random_range(1..5) {
            let serial = self.random.random_range(0..NUMBERS);
            let months = *["", "", "9-11", "11-1", "12"].choose(&mut self.random).expect("one");
            let id = number(if self.random.random_bool(0.85) { serial } else { serial + 300 });
            // A waiver has no such tier: that line is refused.
            let tier = if self.random.random_bool(0.25) { "三档" } else { "" };
            let card = if self.random.random_bool(0.2) { "6222600260001072444" } else { "" };
            text.push_str(&format!("{},居民身份证,{id},\"{months}\",{tier},{card}\n", self.name(serial)));
        }
        clerk.upload(&format!("{path}/import"), text.into_bytes(), "").await.is_ok()
    }

    /// A list as far as it goes: submitted, attested, approved.
    async fn approved(&mut self, school: &str, clerk: &Session, head: &Session) {
        let Some(list) = self.list(school, clerk).await else { return };
        if self.random.random_bool(0.8) {
            let body = json!({ "scheme": "GRANT", "term": TERM, "kind": "APPLICATION", "signer": "STUDENT", "signedDate": self.day.to_string() });
            let _ = clerk.post(&format!("/v1/schools/{school}/statements"), &body, "").await;
        }
        // What is open may be a supplementary list without anybody.
        let _ = clerk.post(&format!("{list}/propose"), &json!({}), "").await;
        let _ = clerk.post(&format!("{list}/submit"), &json!({}), "").await;
        let officer = self.officer.clone();
        let sign = async |who: &Session, act: &str| {
            let digest = officer.get(&list).await.expect("a list")["digest"].clone();
            who.post(&format!("{list}/{act}"), &json!({ "digest": digest }), "").await
        };
        // What is shown publicly first is waited for, and spoken of, at times.
        if sign(head, "attest").await.is_err() && self.random.random_bool(0.6) {
            if self.random.random_bool(0.4) {
                self.object(school, clerk).await;
            }
            self.step(9).await;
            let _ = sign(head, "attest").await;
        }
        let _ = sign(&officer, "approve").await;
    }

    /// Puts right what was approved: the department orders it, or the school asks and desks decide, or nobody does yet.
    async fn put_right(&mut self, school: &str, clerk: &Session, head: &Session) -> bool {
        // Few lists go all the way by chance.
        for _ in 0..2 {
            self.approved(school, clerk, head).await;
        }
        let Some(lists) = self.officer.get(&format!("/v1/schools/{school}/awardLists")).await.ok() else { return false };
        let mut approved = Vec::new();
        for list in lists["lists"].as_array().into_iter().flatten().filter(|list| list["approved"] != 0) {
            let path = format!("/v1/schools/{school}/awardLists/{}/entries?state=APPROVED", list["list"].as_str().expect("an id"));
            approved.extend(self.officer.get(&path).await.expect("entries")["entries"].as_array().cloned().unwrap_or_default());
        }
        let Some(entry) = approved.choose(&mut self.random) else { return false };
        let mut body = json!({ "entries": [entry["entry"]], "what": *["STOP", "CUT", "VOID"].choose(&mut self.random).expect("one"), "reason": "核实" });
        let month = entry["standingMonths"].as_array().and_then(|months| months.choose(&mut self.random)).cloned().unwrap_or(json!(202_612));
        match body["what"].as_str() {
            Some("STOP") => body["firstMonth"] = month,
            Some("CUT") => body["months"] = json!([month]),
            _ => {}
        }
        let path = format!("/v1/schools/{school}/corrections");
        if self.random.random_bool(0.4) {
            return self.officer.post(&format!("{path}/order"), &body, "").await.is_ok();
        }
        let Ok(asked) = clerk.post(&path, &body, "").await else { return false };
        let dossier = format!("/v1/aidDossiers/{}", asked["dossier"].as_str().expect("an id"));
        let digest = json!({ "digest": asked["digest"] });
        match self.random.random_range(0..5) {
            0 => clerk.post(&format!("{dossier}/recall"), &json!({ "reason": "有误" }), "").await.is_ok(),
            1 => head.post(&format!("{dossier}/refuse"), &json!({ "reason": "不必" }), "").await.is_ok(),
            2 => true,
            _ => {
                head.post(&format!("{dossier}/sign"), &digest, "").await.expect("is signed");
                self.officer.post(&format!("{dossier}/sign"), &digest, "").await.expect("is performed")["state"] == "DONE"
            }
        }
    }

    /// Submits, attests, approves, sends back, or removes.
    async fn decide(&mut self, school: &str, clerk: &Session, head: &Session) -> bool {
        let Some(lists) = self.officer.get(&format!("/v1/schools/{school}/awardLists")).await.ok() else { return false };
        let Some(list) = lists["lists"].as_array().and_then(|lists| lists.choose(&mut self.random)) else { return false };
        let path = format!("/v1/schools/{school}/awardLists/{}", list["list"].as_str().expect("an id"));
        let digest = json!({ "digest": list["digest"] });
        match self.random.random_range(0..8) {
            0 | 1 => clerk.post(&format!("{path}/submit"), &json!({}), "").await.is_ok(),
            2 => head.post(&format!("{path}/attest"), &digest, "").await.is_ok(),
            3 | 6 => self.officer.post(&format!("{path}/approve"), &digest, "").await.is_ok(),
            4 => head.post(&format!("{path}/sendBack"), &json!({ "reason": "请核对" }), "").await.is_ok(),
            7 => {
                let entries = self.officer.get(&format!("{path}/entries?state=ATTESTED")).await.expect("entries");
                let Some(entry) = entries["entries"].as_array().and_then(|rows| rows.choose(&mut self.random)) else { return false };
                let one = json!({ "reason": "请核对", "entries": [entry["entry"]] });
                self.officer.post(&format!("{path}/sendBack"), &one, "").await.is_ok()
            }
            _ => {
                let entries = clerk.get(&format!("{path}/entries")).await.expect("entries");
                let Some(entry) = entries["entries"].as_array().and_then(|rows| rows.choose(&mut self.random)) else { return false };
                clerk.post(&format!("{path}/entries/{}/remove", entry["entry"].as_str().expect("an id")), &json!({}), "").await.is_ok()
            }
        }
    }
}

/// What a history came to.
#[derive(Default)]
struct Lived {
    /// Every rule that was ever found.
    rules: BTreeSet<String>,
    /// How often somebody was met by a number of before alone.
    met_before: usize,
    /// How often a supported entry of several came after one that is not.
    later: usize,
    /// How often "no fault" was remembered.
    remembered: usize,
    /// How many flags were confirmed.
    confirmed: usize,
    /// How often something that was approved was put right, or was to be.
    put_right: usize,
    /// How often a place was seen to be taken.
    places: usize,
    /// How many were signed after they had been shown publicly.
    noticed: usize,
    /// How often an entry was held because of the month in which somebody left, and because of the school, and let in because of the major, by what
    /// the second version says otherwise.
    by_second: [usize; 3],
}

/// Lives through a history.
async fn live(databases: Option<(String, String)>, seed: u64) -> Lived {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = folder.path().join("registry.csv");
    // Two numbers are unknown, one has another name.
    let mut known = String::from("number,name\n");
    for serial in (0..NUMBERS).chain(300..300 + NUMBERS).filter(|serial| !matches!(serial, 3 | 304)) {
        for of in [serial % 300, serial % 300 + 100, serial % 300 + 200] {
            let name = student(if serial == 5 { 999 } else { of })["姓名"].clone();
            known.push_str(&format!("{},{name}\n", number(serial)));
        }
    }
    std::fs::write(&registry, known).expect("writes");
    // On PostgreSQL every second history is followed in lanes.
    let lane_records = if seed.is_multiple_of(2) { 1 } else { Settings::default().lane_records };
    let settings = Settings { lane_records, policy_file: Some(policy_file("histories", &policy())), ..Settings::default() };
    let options = || options(databases.clone(), folder.path(), &registry.display().to_string(), settings.clone());
    let deployment = start(options()).await;
    let people: People = schools::open(&deployment).await;
    let head = people.open_account("head2", "PRINCIPAL", OTHER, PASSWORD).await;
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let (enrollment, aid) = databases.clone().unwrap_or_else(|| (file("enrollment.db"), file("aid.db")));
    let (enrollment, aid) = (Db::open(&enrollment).await.expect("opens"), Db::open(&aid).await.expect("opens"));
    let desks = [(SCHOOL, people.clerk.clone(), people.head.clone()), (OTHER, people.other.clone(), head)];
    let mut history = History {
        random: StdRng::seed_from_u64(seed),
        deployment,
        desks,
        officer: people.officer.clone(),
        admin: people.admin.clone(),
        day: date("2026-09-05"),
        acts: BTreeMap::new(),
    };
    history.deployment.step_to(history.day).await.expect("steps");
    let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
    let next = policies::propose(&people.officer, &second_policy(), SECOND).await.expect("is proposed");
    policies::sign(&second, &next).await.expect("is signed");
    for school in [SCHOOL, OTHER] {
        history.own(school).await;
    }
    let mut watched = Watched::default();
    // What is looked at leaves the history as it is.
    let mut looking = StdRng::seed_from_u64(seed);
    let (mut lived, mut all_known) = (Lived::default(), Vec::new());
    let aid_keys = Keyring::load(&key_files(folder.path()).aid, Service::Aid).expect("a keyring");
    let mut decisions = Decisions::new(seed, &aid_keys);
    for act in 1..=ACTS {
        let look = history.act().await;
        all_known.push(known_now(&enrollment).await);
        assert_sound(&enrollment, &format!("seed {seed}, after {act} acts")).await;
        watched.look(&aid, history.day, &format!("seed {seed}, after {act} acts")).await;
        if act % ROWS_LOOKED_AT == 0 {
            assert_whole(&history.deployment, &["account"], &format!("seed {seed}, after {act} acts")).await;
        }
        if act % REBUILT == 0 {
            // First as the log tells it, then as what outlives the log does.
            history.deployment.drain().await.expect("drains");
            assert_told_as_known(&people.officer, &mut looking, &all_known, &format!("seed {seed}, after {act} acts")).await;
            trim_before(&enrollment, i64::MAX).await.expect("is forgotten");
            assert_told_as_known(&people.officer, &mut looking, &all_known, &format!("seed {seed}, after {act} acts, forgotten")).await;
            all_known.clear();
            // The source is made anew of what is on paper; aid keeps what it has.
            let http = history.deployment.http.to_string();
            history.deployment.stop().await;
            let keyring = Keyring::load(&key_files(folder.path()).enrollment, Service::Enrollment).expect("a keyring");
            rebuild(&enrollment, &keyring, &mut history.random, true).await;
            history.deployment = start(Options { http, ..options() }).await;
        }
        if act % BETWEEN == 0 || act == ACTS || look {
            history.deployment.drain().await.expect("drains");
            let truth = Truth::read(&enrollment, &aid, history.day).await;
            crate::rounds::assert_counts(&aid).await;
            lived.places += assert_places(&aid, &format!("seed {seed}, after {act} acts")).await;
            let reference = truth.findings();
            assert_agrees(&open_flags(&aid).await, &reference, &format!("seed {seed}, after {act} acts: the continuous driver"));
            lived.met_before += truth.met_by_a_number_of_before();
            lived.later += truth.later_than_an_unsupported_one();
            lived.by_second = add(lived.by_second, truth.otherwise_by_the_second());
            lived.rules.extend(reference.into_iter().map(|(rule, ..)| rule));
            lived.remembered = decisions.hold(&aid, &format!("seed {seed}, after {act} acts")).await;
            decisions.act(&history, &aid).await;
            assert_heads(&history, &format!("seed {seed}, after {act} acts")).await;
        }
    }
    lived.confirmed = decisions.confirmed.len();
    lived.noticed = watched.noticed;
    assert!(history.acts.values().sum::<usize>() > ACTS / 4, "most acts were refused: {:?}", history.acts);
    // A sweep over what is there changes nothing; one that finds no flag finds them all again.
    let reference = Truth::read(&enrollment, &aid, history.day).await.findings();
    sweep(&people.admin).await;
    assert_agrees(&open_flags(&aid).await, &reference, &format!("seed {seed}: a sweep over the flags"));
    let mut tx = aid.begin().await.expect("begins");
    run!(&mut tx, "DELETE FROM flag_steps").expect("empties");
    run!(&mut tx, "DELETE FROM flags").expect("empties");
    tx.commit().await.expect("commits");
    sweep(&people.admin).await;
    assert_agrees(&open_flags(&aid).await, &reference, &format!("seed {seed}: a sweep from nothing"));
    lived.put_right = history.acts.get("put right").copied().unwrap_or_default();
    history.deployment.stop().await;
    lived
}

fn add(a: [usize; 3], b: [usize; 3]) -> [usize; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Whatever was done, both services count the same students.
async fn assert_heads(history: &History, when: &str) {
    for school in [SCHOOL, OTHER] {
        let counted = history.officer.post(&format!("/v1/schools/{school}/headCounts"), &json!({}), "").await.expect("is counted");
        history.deployment.drain().await.expect("drains");
        let compared = history.officer.get(&format!("/v1/schools/{school}/headCount")).await.expect("is compared");
        assert_eq!((&compared["outcome"], &compared["position"]), (&json!("AGREES"), &counted["position"]), "{when}: {counted} {compared}");
    }
}

/// Says what is too much and what is missing, not all that agrees.
fn assert_agrees(found: &Found, reference: &Found, when: &str) {
    let (too_much, missing): (Vec<_>, Vec<_>) = (found.difference(reference).collect(), reference.difference(found).collect());
    assert!(too_much.is_empty() && missing.is_empty(), "{when}: too much {too_much:?}, missing {missing:?}");
}

async fn sweep(admin: &Session) {
    let run = admin.post("/v1/reconciliations", &json!({}), "").await.expect("starts")["run"].as_str().expect("an id").to_owned();
    xuezhu_tests::until("the sweep ends", async || {
        let state = admin.get(&format!("/v1/reconciliations/{run}")).await.expect("a run");
        assert_ne!(state["state"], "FAILED");
        state["state"] == "DONE"
    })
    .await;
}

/// Seeds: `HISTORIES` says how many more than the short form.
fn seeds(short: u64) -> u64 {
    std::env::var("HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_drivers_agree_with_a_naive_reference_and_every_rule_fires() {
    let mut all = Lived::default();
    for seed in 0..seeds(16) {
        let lived = Box::pin(live(None, seed)).await;
        all.rules.extend(lived.rules);
        all.met_before += lived.met_before;
        all.later += lived.later;
        all.remembered += lived.remembered;
        all.confirmed += lived.confirmed;
        all.put_right += lived.put_right;
        all.places += lived.places;
        all.noticed += lived.noticed;
        all.by_second = add(all.by_second, lived.by_second);
    }
    assert!(all.put_right > 0, "nothing was put right");
    assert_eq!(all.rules.len(), Rule::of_people().count(), "every rule fires: {:?}", all.rules);
    assert!(all.places > 0, "no place was taken");
    assert!(all.noticed > 0, "nobody was signed after a notice");
    assert!(
        all.by_second.iter().all(|held| *held > 0),
        "nobody was held for the month of leaving, or for the school, or let in for the major: {:?}",
        all.by_second
    );
    assert!(
        all.met_before > 0 && all.later > 0,
        "nobody waited under a number of before, or no supported entry was the later: {} {}",
        all.met_before,
        all.later
    );
    assert!(all.remembered > 0 && all.confirmed > 0, "nothing was remembered, or nothing confirmed: {} {}", all.remembered, all.confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_drivers_agree_with_the_reference_on_postgres() {
    for seed in 100..100 + seeds(2) {
        Box::pin(live(Some((postgres::database().await, postgres::database().await)), seed)).await;
    }
}
