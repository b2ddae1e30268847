//! Makes the province from a seed: schools, four years' new students, their stories and faults, and the lists that follow.

use std::collections::HashSet;

use chrono::NaiveDate;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use xuezhu_domain::{codes, region};

use super::{
    calendar::{AUTUMN, NEXT_AUTUMN, NEXT_SPRING, TERMS, Term, day, days},
    faults::Fault,
    people,
    policy::{LISTED, UNLISTED},
    world::{Change, Claim, Event, Level, Person, Place, Scheme, School, World},
};

/// Students a school.
const SCHOOL_STUDENTS: usize = 1000;
/// Schools at least: some faults need another school.
const SCHOOLS: usize = 4;
/// Schools of a province that is large enough for them, each with a hundred students.
const SCHOOLS_OF_A_PROVINCE: usize = 18;
const FEW_STUDENTS: usize = 100;
/// Schools in one county, of such a province: a county officer has many. Of a small province the first half.
const COUNTY_SCHOOLS: usize = 14;
/// That county: 浏阳市. Its department approves for its schools; for the others that of their city does.
pub const COUNTY: &str = "430181";
/// What schools of one county are called.
const KINDS: [&str; 14] = [
    "第一中等职业学校",
    "第二中等职业学校",
    "职业中等专业学校",
    "现代农业职业学校",
    "卫生学校",
    "财经学校",
    "工业学校",
    "旅游职业学校",
    "机电工程学校",
    "信息技术学校",
    "商贸学校",
    "建设职业学校",
    "艺术职业学校",
    "成人中等专业学校",
];
/// Students a class.
const CLASS_STUDENTS: usize = 45;
/// Classes of a year at least: of one agricultural major and of another.
const CLASSES: usize = 2;
/// Years in which they enter; the last are new in the second school year. Who has been there for three years then stays on the roll, as
/// no graduation can be recorded, and is on no list.
const COHORTS: [i32; 4] = [2014, 2015, 2016, 2017];
/// The province.
pub(super) const PROVINCE: &str = "43";

/// The code of a school.
pub(super) fn school_code(index: usize) -> String {
    format!("36{PROVINCE}{:06}", index + 1)
}

/// Makes a province with these faults. The same numbers make the same one.
pub fn world(students: usize, seed: u64, rate: f64, faults: &[Fault]) -> World {
    let mut maker = Maker::new(seed);
    let few = if students >= SCHOOLS_OF_A_PROVINCE * FEW_STUDENTS { SCHOOLS_OF_A_PROVINCE } else { SCHOOLS };
    maker.schools(students.div_ceil(SCHOOL_STUDENTS).max(few));
    for index in 0..students {
        maker.student(index, students);
    }
    maker.clean_stories();
    maker.faults(faults, students, rate);
    if faults.len() == Fault::ALL.len() {
        maker.doubled(students, rate);
    }
    maker.regroup();
    maker.private_schools();
    maker.lists();
    maker.extra_lines();
    maker.finish()
}

/// A province in the making.
pub(super) struct Maker {
    pub random: StdRng,
    pub world: World,
    pub numbers: HashSet<String>,
    counties: Vec<&'static str>,
    pub abolished: Vec<&'static str>,
    /// Lines that stories and faults add, beside the regular ones.
    pub extra: Vec<Claim>,
    /// People who are not on this list.
    pub unlisted: HashSet<(usize, Scheme, &'static str)>,
    /// Months of the first autumn's grant that a regular line names, where not all.
    pub months: Vec<(usize, Vec<i32>)>,
    /// Names that a regular line of the first autumn's grant writes otherwise.
    pub written: Vec<(usize, String)>,
    /// Tiers that it names, where not the middle one.
    pub tiers: Vec<(usize, &'static str)>,
    /// Cards that it names, and whose they are said to be.
    pub cards: Vec<(usize, String, String)>,
    /// Schools of which somebody is poor in the second spring.
    pub poor_schools: HashSet<usize>,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut counties: Vec<&'static str> = region::all().filter(|code| code.starts_with(PROVINCE) && !code.ends_with("00")).collect();
        counties.sort_unstable();
        let ended = |code: &&str| region::spans(code).iter().all(|span| span.to.is_some_and(|to| to < 2016));
        let abolished =
            counties.iter().copied().filter(ended).filter(|code| region::spans(code).iter().any(|span| span.to.is_some_and(|to| to > 2002))).collect();
        counties.retain(|code| !ended(code));
        Self {
            random: StdRng::seed_from_u64(seed),
            world: World::default(),
            numbers: HashSet::new(),
            counties,
            abolished,
            extra: Vec::new(),
            unlisted: HashSet::new(),
            months: Vec::new(),
            written: Vec::new(),
            tiers: Vec::new(),
            cards: Vec::new(),
            poor_schools: HashSet::new(),
        }
    }

    fn schools(&mut self, count: usize) {
        // The province lives from 2014 to 2018, under the catalogue of 2010.
        let of_then = codes::majors().iter().filter(|major| major.catalogue == "2010");
        let (agricultural, others): (Vec<&'static codes::Major>, Vec<_>) = of_then.partition(|major| major.agricultural);
        // No school is called after what a city has beside its districts.
        let name_of = |region: &str| region::spans(region).last().map_or("", |span| span.name);
        let named: Vec<&'static str> = self.counties.iter().copied().filter(|region| name_of(region) != "市辖区").collect();
        for index in 0..count {
            let of_county = if count >= SCHOOLS_OF_A_PROVINCE { COUNTY_SCHOOLS } else { count / 2 };
            let is_of_county = index < of_county;
            let region = if is_of_county { COUNTY } else { named[((index - of_county) * 17) % named.len()] };
            let mut majors: Vec<&'static codes::Major> = Vec::new();
            // Three of eight are agricultural. Rows name a major by its name, so no school has two of one.
            for (from, offset) in
                [(&agricultural, 0), (&others, 0), (&agricultural, 1), (&others, 1), (&others, 2), (&others, 3), (&agricultural, 2), (&others, 4)]
            {
                let each = if from[0].agricultural { 3 } else { 5 };
                let mut offered = (0..from.len()).map(|next| from[(index * each + offset + next) % from.len()]);
                majors.extend(offered.find(|major| majors.iter().all(|known| known.name != major.name)));
            }
            let authority = if is_of_county { COUNTY.to_owned() } else { format!("{}00", &region[..4]) };
            let county = name_of(region);
            self.world.schools.push(School {
                code: school_code(index),
                is_private: [LISTED, UNLISTED].contains(&index),
                name: format!("{county}{}", KINDS[index % KINDS.len()]),
                region: region.to_owned(),
                authority,
                majors,
            });
        }
    }

    /// A number that nobody has.
    pub fn number(&mut self, birth: NaiveDate, male: bool) -> String {
        loop {
            let region = self.counties[self.random.random_range(0..self.counties.len())];
            let serial = self.random.random_range(0..499) * 2 + u32::from(male);
            let number = people::number(region, birth, serial);
            if self.numbers.insert(number.clone()) {
                return number;
            }
        }
    }

    fn student(&mut self, index: usize, students: usize) {
        let schools = self.world.schools.len();
        let (school, within) = (index % schools, index / schools);
        let (year, position) = (COHORTS[within % COHORTS.len()], within / COHORTS.len());
        let of_year = students.div_ceil(schools).div_ceil(COHORTS.len());
        let class = position * of_year.div_ceil(CLASS_STUDENTS).max(CLASSES) / of_year;
        let majors = &self.world.schools[school].majors;
        let major = majors[class % majors.len()];
        let birth = people::birth(&mut self.random, year, 16);
        let male = self.random.random_bool(0.5);
        let number = self.number(birth, male);
        let name = people::name(&mut self.random, male);
        let (entered, approved) = if year == 2017 { (days::TURN, days::NEXT_APPROVE) } else { (days::ENTER, days::APPROVE) };
        let place = Place {
            school,
            entered: day(entered),
            approved: day(approved),
            entry: NaiveDate::from_ymd_opt(year, 9, 1).unwrap_or_default(),
            entry_month: year * 100 + 9,
            events: Vec::new(),
            school_number: format!("{year}{within:05}"),
            class_name: format!("{}级{}班", year % 100, class + 1),
            major,
        };
        let person = Person {
            names: vec![(name, None)],
            numbers: vec![(number, None)],
            document: "居民身份证",
            male,
            birth,
            confirmed: true,
            registered_as: None,
            mistyped: false,
            phone: format!("138{index:08}"),
            full_time: !self.random.random_bool(0.02),
            rural: self.random.random_bool(0.7),
            places: vec![place],
            levels: Vec::new(),
            waives: false,
            taken: false,
        };
        self.world.people.push(person);
    }

    /// Somebody without a story whom a test finds fit, from a random place on; marks them.
    pub fn pick(&mut self, fit: impl Fn(&Person) -> bool) -> Option<usize> {
        let count = self.world.people.len();
        let begin = self.random.random_range(0..count);
        let found = (0..count).map(|offset| (begin + offset) % count).find(|index| !self.world.people[*index].taken && fit(&self.world.people[*index]))?;
        self.world.people[found].taken = true;
        Some(found)
    }

    pub fn other_school(&mut self, school: usize) -> usize {
        let count = self.world.schools.len();
        (school + self.random.random_range(1..count)) % count
    }

    /// The school of somebody's first place.
    pub fn school_of(&self, index: usize) -> usize {
        self.world.people[index].places[0].school
    }

    /// Something happens to somebody's first place.
    pub fn happens(&mut self, index: usize, change: Change, effective: &str, recorded: &str) {
        self.world.people[index].places[0].events.push(Event { change, effective: day(effective), recorded: day(recorded) });
    }

    /// The school determines a level, or that there is none any more.
    pub fn determined(&mut self, index: usize, is_one: bool, from: &str, recorded: &str) {
        self.world.people[index].levels.push(Level { is_one, from: day(from), recorded: day(recorded) });
    }

    /// Another place for somebody, in an agricultural class of another school.
    pub fn placed_elsewhere(&mut self, index: usize, entered: &str, approved: &str, entry: &str) -> usize {
        let from = self.school_of(index);
        let school = self.other_school(from);
        let entry = day(entry);
        self.world.people[index].places.push(Place {
            school,
            entered: day(entered),
            approved: day(approved),
            entry,
            entry_month: entry.format("%Y%m").to_string().parse().unwrap_or(0),
            events: Vec::new(),
            school_number: format!("M{index:07}"),
            class_name: format!("{}级插班", entry.format("%y")),
            major: self.world.schools[school].majors[0],
        });
        school
    }

    /// So many of one school, of which nobody is poor yet, are poor in the second year, and on the list of its spring.
    pub fn poor_of_one_school(&mut self, count: usize) -> Option<()> {
        let is_fit = |person: &Person| {
            let place = &person.places[0];
            person.full_time && matches!(place.entry_month, 201_609 | 201_709) && !place.major.agricultural && place.school != UNLISTED
        };
        let poor = self.poor_schools.clone();
        let first = self.pick(|person| is_fit(person) && !poor.contains(&person.places[0].school))?;
        let school = self.school_of(first);
        self.poor_schools.insert(school);
        let mut picked = vec![first];
        while picked.len() < count {
            picked.push(self.pick(|person| is_fit(person) && person.places[0].school == school)?);
        }
        for index in picked {
            self.determined(index, true, "2017-09-01", days::NEXT_MOVE);
            self.add_line(index, school, Scheme::Grant, &NEXT_SPRING, days::NEXT_SPRING, &[]);
        }
        Some(())
    }

    /// Leaves somebody off both lists of a term.
    pub fn off_lists(&mut self, index: usize, term: &'static Term) {
        for scheme in Scheme::ALL {
            self.unlisted.insert((index, scheme, term.name));
        }
    }

    /// Adds a line.
    pub fn add_line(&mut self, index: usize, school: usize, scheme: Scheme, term: &'static Term, uploaded: &str, months: &[i32]) {
        let claim = self.line(index, school, scheme, term, uploaded, months);
        self.extra.push(claim);
    }

    pub fn line(&self, index: usize, school: usize, scheme: Scheme, term: &'static Term, uploaded: &str, months: &[i32]) -> Claim {
        let person = &self.world.people[index];
        let uploaded = day(uploaded);
        let good = |list: &[(String, Option<NaiveDate>)]| {
            list.iter().find(|(_, end)| end.is_none_or(|end| uploaded <= end)).map(|(value, _)| value.clone()).unwrap_or_default()
        };
        let (name, number, months) = (good(&person.names), good(&person.numbers), months.to_vec());
        Claim { school, scheme, term, uploaded, name, document: person.document, number, months, tier: "", card: String::new(), holder: String::new() }
    }

    /// Classes are made anew at the turn of the year, for people with stories and faults too: it must change nothing.
    fn regroup(&mut self) {
        let count = self.world.people.len();
        let (wanted, begin) = ((count / 100).max(2), self.random.random_range(0..count));
        // Every seventh from somewhere on: of all schools, years and classes.
        let moved = (0..count).filter(|step| self.regroups((begin + step * 7) % count).is_some()).take(wanted).count();
        self.world.clean.push(("another class at the turn of the year, whatever else is on the student", moved));
    }

    /// Another class for who is in school then, if nothing that is recorded before or after stands in the way.
    fn regroups(&mut self, index: usize) -> Option<()> {
        let (turn, first) = (day(days::TURN), day("2017-09-01"));
        let place = &mut self.world.people[index].places[0];
        let later = place.events.iter().position(|event| event.recorded > turn).unwrap_or(place.events.len());
        let fits = matches!(place.entry_month, 201_509 | 201_609)
            && place.is_in_school(first, turn)
            && place.events[..later].iter().all(|event| event.effective < first)
            && place.events[later..].iter().all(|event| event.effective > first);
        let class = format!("{}级合班", place.entry_month / 100 % 100);
        fits.then(|| place.events.insert(later, Event { change: Change::Class(class), effective: first, recorded: turn }))
    }

    /// The regular lines: who is entitled by the plain data, at the school where they are, as far as it is recorded.
    fn lists(&mut self) {
        for index in 0..self.world.people.len() {
            for (term, scheme) in TERMS.into_iter().flat_map(|term| Scheme::ALL.map(|scheme| (term, scheme))) {
                let person = &self.world.people[index];
                let known = day(term.listed);
                let there = person.places.iter().find(|place| place.entered <= known && place.is_in_school(term.count, known));
                let Some(place) = there.filter(|place| person.draws(scheme, place, term, known)) else { continue };
                if self.unlisted.contains(&(index, scheme, term.name)) {
                    continue;
                }
                let mut claim = self.line(index, place.school, scheme, term, term.listed, &[]);
                if (term, scheme) == (&AUTUMN, Scheme::Grant) {
                    if let Some((_, months)) = self.months.iter().find(|known| known.0 == index) {
                        claim.months.clone_from(months);
                    }
                    if let Some((_, name)) = self.written.iter().rev().find(|known| known.0 == index) {
                        claim.name.clone_from(name);
                    }
                    if let Some((_, tier)) = self.tiers.iter().find(|known| known.0 == index) {
                        claim.tier = tier;
                    }
                    if let Some((_, card, holder)) = self.cards.iter().find(|known| known.0 == index) {
                        claim.card.clone_from(card);
                        claim.holder.clone_from(holder);
                    }
                }
                self.world.claims.push(claim);
            }
        }
    }

    /// How many of private schools draw the grant in the second spring, or would if their school was on the list.
    fn private_schools(&mut self) {
        let of = |school: usize| {
            let draws = |person: &&Person| {
                let place = &person.places[0];
                let major = place.major_on(NEXT_SPRING.count, day(NEXT_SPRING.listed));
                place.school == school && person.full_time && major.agricultural && matches!(place.entry_month, 201_609 | 201_709)
            };
            self.world.people.iter().filter(draws).count()
        };
        let (listed, unlisted) = (of(LISTED), of(UNLISTED));
        self.world.clean.push(("at a private school that is on the list, with the grant", listed));
        self.world.clean.push(("at a private school that is not on the list, and on no list of the grant", unlisted));
    }

    fn extra_lines(&mut self) {
        let mut extra = std::mem::take(&mut self.extra);
        extra.shuffle(&mut self.random);
        self.world.claims.extend(extra);
    }

    fn finish(mut self) -> World {
        for person in self.world.people.iter().filter(|person| person.confirmed && person.document == "居民身份证") {
            for (number, _) in &person.numbers {
                for (name, _) in &person.names {
                    self.world.registry.push((number.clone(), name.clone()));
                }
            }
        }
        for person in &self.world.people {
            if let Some(name) = &person.registered_as {
                self.world.registry.push((person.numbers[0].0.clone(), name.clone()));
            }
        }
        self.world
    }
}

/// Draws a scheme in a term from the first day of the first place on, as it was entered.
pub(super) fn enters(person: &Person, scheme: Scheme, term: &'static Term) -> bool {
    let place = &person.places[0];
    place.entry <= term.count && person.draws(scheme, place, term, place.entered)
}

/// Draws the grant in the first autumn.
pub(super) fn gets_grant(person: &Person) -> bool {
    enters(person, Scheme::Grant, &AUTUMN)
}

/// Would draw the grant in the first year with a hardship level alone.
pub(super) fn draws_if_poor(person: &Person) -> bool {
    let place = &person.places[0];
    person.full_time && matches!(place.entry_month, 201_509 | 201_609) && !place.major.agricultural
}

/// Tuition is waived in the first autumn.
pub(super) fn gets_waiver(person: &Person) -> bool {
    enters(person, Scheme::Waiver, &AUTUMN)
}

/// Is new in a term's school year.
pub(super) fn is_new(person: &Person, term: &'static Term) -> bool {
    person.places[0].entry_month == term.school_year * 100 + 9
}

/// Is in the second or third year of school when the second school year begins, at a full-time course.
pub(super) fn stays(person: &Person) -> bool {
    person.full_time && matches!(person.places[0].entry_month, 201_509 | 201_609)
}

/// Stays, draws a scheme in the second autumn too.
pub(super) fn stays_with(person: &Person, scheme: Scheme) -> bool {
    stays(person) && enters(person, scheme, &NEXT_AUTUMN)
}
