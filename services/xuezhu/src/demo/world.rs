//! What there is in the demo's province: schools, people with their places, lines of lists. `make` fills them.

use chrono::{Datelike, NaiveDate};
use xuezhu_domain::codes;

use super::{calendar::Term, faults::Fault, policy::bars};

/// What aid is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// 国家助学金, by month.
    Grant,
    /// 免学费, by term and by right.
    Waiver,
}

impl Scheme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Grant, Self::Waiver];

    /// As the services spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "GRANT",
            Self::Waiver => "TUITION_WAIVER",
        }
    }
}

/// A school.
#[derive(Debug, Clone)]
pub struct School {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub region: String,
    /// Its department.
    pub authority: String,
    /// Whether it is private.
    pub is_private: bool,
    /// Majors.
    pub majors: Vec<&'static codes::Major>,
}

/// What happens to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Leave.
    Leave,
    /// Return.
    Return,
    /// Withdrawal.
    Withdraw,
    /// Another class.
    Class(String),
    /// Another major, and the class there.
    Major(&'static codes::Major, String),
    /// The student never came: no day of the place counts.
    NeverCame,
}

/// A change of a place.
#[derive(Debug, Clone)]
pub struct Event {
    /// What.
    pub change: Change,
    /// First day on which it holds.
    pub effective: NaiveDate,
    /// Day on which it is recorded.
    pub recorded: NaiveDate,
}

/// A student's place at a school.
#[derive(Debug, Clone)]
pub struct Place {
    /// School.
    pub school: usize,
    /// Day of upload.
    pub entered: NaiveDate,
    /// Day of approval.
    pub approved: NaiveDate,
    /// First day.
    pub entry: NaiveDate,
    /// Month as typed, YYYYMM.
    pub entry_month: i32,
    /// Changes, in the order in which they hold and are recorded.
    pub events: Vec<Event>,
    /// The school's own number.
    pub school_number: String,
    /// Class at entry.
    pub class_name: String,
    /// Major at entry.
    pub major: &'static codes::Major,
}

impl Place {
    /// Whether the student is in school on a day, as was recorded up to `known`.
    pub fn is_in_school(&self, on: NaiveDate, known: NaiveDate) -> bool {
        let mut inside = on >= self.entry;
        for event in self.told(known) {
            match event.change {
                Change::NeverCame => return false,
                Change::Return if event.effective <= on => inside = true,
                Change::Leave | Change::Withdraw if event.effective <= on => inside = false,
                Change::Return | Change::Leave | Change::Withdraw | Change::Class(_) | Change::Major(..) => {}
            }
        }
        inside
    }

    /// The major on a day, as was recorded up to `known`.
    pub fn major_on(&self, on: NaiveDate, known: NaiveDate) -> &'static codes::Major {
        let changed = self.told(known).filter(|event| event.effective <= on).filter_map(|event| match event.change {
            Change::Major(major, _) => Some(major),
            _ => None,
        });
        changed.last().unwrap_or(self.major)
    }

    fn told(&self, known: NaiveDate) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.recorded <= known)
    }

    /// The grade in a term, from 1; below 1 before the entry. Everybody here enters in an autumn.
    fn grade_in(&self, term: &Term) -> i32 {
        term.school_year - self.entry_month / 100 + 1
    }
}

/// A hardship level that the school of the first place determines, or that there is none any more.
#[derive(Debug, Clone)]
pub struct Level {
    /// Whether there is one.
    pub is_one: bool,
    /// First day on which it holds; it ends with the school year.
    pub from: NaiveDate,
    /// Day on which it is determined.
    pub recorded: NaiveDate,
}

/// A person.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a person, not a state")]
pub struct Person {
    /// Names with the day until which each is good; the last is current.
    pub names: Vec<(String, Option<NaiveDate>)>,
    /// Numbers likewise.
    pub numbers: Vec<(String, Option<NaiveDate>)>,
    /// Document type.
    pub document: &'static str,
    /// Male.
    pub male: bool,
    /// Birth date.
    pub birth: NaiveDate,
    /// Whether the registry knows the person under the name.
    pub confirmed: bool,
    /// Another name that the registry has for the number.
    pub registered_as: Option<String>,
    /// Whether what was corrected had never been right.
    pub mistyped: bool,
    /// Telephone.
    pub phone: String,
    /// 全日制.
    pub full_time: bool,
    /// 农业户口.
    pub rural: bool,
    /// Places, in order.
    pub places: Vec<Place>,
    /// Levels, in the order in which they are determined.
    pub levels: Vec<Level>,
    /// Whether the grant of the first autumn is not wanted, in writing.
    pub waives: bool,
    /// Whether a fault or a special story is on the person already.
    pub taken: bool,
}

/// 戏曲表演, whose students pay no tuition.
pub(super) fn is_opera(major: &codes::Major) -> bool {
    major.name == "戏曲表演"
}

impl Person {
    /// Whether a student draws a scheme in a term at a place, by the plain data as recorded up to `known`. The demo's own reading:
    /// a grant for agricultural majors of grades 1 and 2 (财科教〔2016〕35号); a waiver for the rural, for agricultural majors and 戏曲表演, not
    /// for performing arts, of grades 1 to 3 (财教〔2012〕376号); both for full time only.
    pub fn draws(&self, scheme: Scheme, place: &Place, term: &Term, known: NaiveDate) -> bool {
        let major = place.major_on(term.count, known);
        let grade = place.grade_in(term);
        self.full_time
            && !bars(place.school, scheme, term)
            && match scheme {
                Scheme::Grant => major.agricultural && (1..=2).contains(&grade),
                Scheme::Waiver => (self.rural || major.agricultural || is_opera(major)) && !major.performing_arts && (1..=3).contains(&grade),
            }
    }
}

impl Person {
    /// Whether the person has a hardship level on a day, as was determined up to `known`: what was determined last holds.
    pub fn is_poor(&self, on: NaiveDate, known: NaiveDate) -> bool {
        let holds = |level: &&Level| level.recorded <= known && level.from <= on && on < end_of_school_year(level.from);
        self.levels.iter().rfind(holds).is_some_and(|level| level.is_one)
    }

    /// Whether the law gives a month that goes by a day to a student at a place, as recorded up to `known`: by the plain data, or to the poor.
    pub fn is_given(&self, scheme: Scheme, place: &Place, term: &Term, on: NaiveDate, known: NaiveDate) -> bool {
        let major = place.major_on(on, known);
        let (grade, poor) = (place.grade_in(term), self.is_poor(on, known));
        self.full_time
            && !bars(place.school, scheme, term)
            && match scheme {
                Scheme::Grant => (major.agricultural || poor) && (1..=2).contains(&grade),
                Scheme::Waiver => (self.rural || major.agricultural || is_opera(major) || poor) && !major.performing_arts && (1..=3).contains(&grade),
            }
    }
}

/// The first of August after a day.
fn end_of_school_year(day: NaiveDate) -> NaiveDate {
    let year = if day.month() < 8 { day.year() } else { day.year() + 1 };
    NaiveDate::from_ymd_opt(year, 8, 1).unwrap_or_default()
}

/// A line of an award list.
#[derive(Debug, Clone)]
pub struct Claim {
    /// School.
    pub school: usize,
    /// For what.
    pub scheme: Scheme,
    /// Term.
    pub term: &'static Term,
    /// Day of upload.
    pub uploaded: NaiveDate,
    /// Name as written.
    pub name: String,
    /// Document type.
    pub document: &'static str,
    /// Number.
    pub number: String,
    /// Months; empty for the whole term.
    pub months: Vec<i32>,
    /// Tier; empty for the middle one.
    pub tier: &'static str,
    /// Bank card; empty where none is named.
    pub card: String,
    /// Whose it is said to be.
    pub holder: String,
}

/// The province.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Schools.
    pub schools: Vec<School>,
    /// People who study.
    pub people: Vec<Person>,
    /// Lines of lists.
    pub claims: Vec<Claim>,
    /// How many of each fault were planted.
    pub planted: Vec<(Fault, usize)>,
    /// Persons with two faults.
    pub doubled: usize,
    /// How many of each story were planted that look wrong and are not.
    pub clean: Vec<(&'static str, usize)>,
    /// Rows of the registry file.
    pub registry: Vec<(String, String)>,
}

impl World {
    /// Makes a province with every fault. The same numbers make the same one.
    pub fn make(students: usize, seed: u64, rate: f64) -> Self {
        super::make::world(students, seed, rate, &Fault::ALL)
    }

    /// How many changes of each kind schools and departments record, one by one.
    pub fn acts(&self) -> std::collections::BTreeMap<&'static str, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for event in self.people.iter().flat_map(|person| &person.places).flat_map(|place| &place.events) {
            let what = match event.change {
                Change::Leave => "leave",
                Change::Return => "return",
                Change::Withdraw => "withdrawal",
                Change::Class(_) => "other class",
                Change::Major(..) => "other major",
                Change::NeverCame => "never came",
            };
            *counts.entry(what).or_default() += 1;
        }
        counts.insert("hardship level", self.people.iter().map(|person| person.levels.len()).sum());
        counts
    }
}
