//! Schools and people of a province, with their faults, from a seed.

use std::collections::HashSet;

use chrono::NaiveDate;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use xuezhu_domain::{codes, region};

use super::people;

/// Students a school.
const SCHOOL_STUDENTS: usize = 1000;
/// Schools at least: some faults need another school.
const SCHOOLS: usize = 4;
/// Students a class.
const CLASS_STUDENTS: usize = 45;
/// The province.
const PROVINCE: &str = "43";

/// A day of the school year 2016/17.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

/// When things happen.
pub mod days {
    /// Students are uploaded, submitted and attested.
    pub const ENTER: &str = "2016-09-05";
    /// The autumn's lists are uploaded.
    pub const LIST: &str = "2016-09-20";
    /// The departments approve.
    pub const APPROVE: &str = "2016-10-10";
    /// Who left or took leave in October is recorded.
    pub const LEAVE: &str = "2016-10-20";
    /// Who is back is recorded.
    pub const BACK: &str = "2016-11-01";
    /// Departments correct identities.
    pub const CORRECT: &str = "2016-11-10";
    /// Who moved is recorded, and entered at the new school.
    pub const MOVE: &str = "2016-11-21";
    /// Supplementary lists are uploaded.
    pub const SUPPLEMENT: &str = "2016-11-25";
    /// The lists are overdue.
    pub const OVERDUE: &str = "2016-12-05";
    /// What was left lying is approved.
    pub const LATE: &str = "2016-12-12";
    /// The last due grace is over.
    pub const GRACE: &str = "2016-12-30";
    /// Leaves of November are recorded two months late.
    pub const LATE_LEAVE: &str = "2017-01-12";
    /// The spring's lists are uploaded.
    pub const SPRING: &str = "2017-03-10";
    /// The spring's lists are overdue.
    pub const SPRING_OVERDUE: &str = "2017-05-10";
    /// The end.
    pub const END: &str = "2017-07-15";
}

/// A fault that is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum Fault {
    /// A graduate of last year is listed.
    Graduate,
    /// A working adult is listed.
    Adult,
    /// A class of neighbouring numbers is listed.
    Neighbours,
    /// Name and number of a student elsewhere are listed.
    StolenIdentity,
    /// The number of a student elsewhere is listed under another name.
    StolenNumber,
    /// A real person who studies nowhere is listed.
    StolenNowhere,
    /// A student on the roll of another school is listed.
    OtherRoll,
    /// A student who left is listed.
    Left,
    /// A leave is recorded two months late.
    LateLeave,
    /// A name is written with a character that sounds alike.
    Homophone,
    /// Twice in one school.
    TwiceHere,
    /// Twice in two schools.
    TwiceElsewhere,
    /// Entitled by right and on no list.
    Missing,
    /// Not confirmed by the registry.
    Unverified,
    /// Approved late.
    ApprovedLate,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 15] = [
        Self::Graduate,
        Self::Adult,
        Self::Neighbours,
        Self::StolenIdentity,
        Self::StolenNumber,
        Self::StolenNowhere,
        Self::OtherRoll,
        Self::Left,
        Self::LateLeave,
        Self::Homophone,
        Self::TwiceHere,
        Self::TwiceElsewhere,
        Self::Missing,
        Self::Unverified,
        Self::ApprovedLate,
    ];
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
    /// Majors.
    pub majors: Vec<&'static codes::Major>,
}

/// What happens to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Leave.
    Leave,
    /// Return.
    Return,
    /// Withdrawal.
    Withdraw,
}

/// A change of a place.
#[derive(Debug, Clone)]
pub struct Event {
    /// What.
    pub change: Change,
    /// First day in the new state.
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
    /// Changes, in order.
    pub events: Vec<Event>,
    /// The school's own number.
    pub school_number: String,
    /// Class.
    pub class_name: String,
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
    /// Major.
    pub major: &'static codes::Major,
    /// 全日制.
    pub full_time: bool,
    /// 农业户口.
    pub rural: bool,
    /// Places, in order.
    pub places: Vec<Place>,
    /// Whether a fault or a special story is on the person already.
    pub taken: bool,
}

/// A line of an award list.
#[derive(Debug, Clone)]
pub struct Claim {
    /// School.
    pub school: usize,
    /// `GRANT` or `TUITION_WAIVER`.
    pub scheme: &'static str,
    /// Term.
    pub term: &'static str,
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
}

/// The province.
#[derive(Debug, Clone)]
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

/// Months of the autumn term.
pub const AUTUMN: [i32; 5] = [201_609, 201_610, 201_611, 201_612, 201_701];
/// Months of the spring term.
pub const SPRING: [i32; 5] = [201_703, 201_704, 201_705, 201_706, 201_707];

impl World {
    /// Makes a province. The same numbers make the same one.
    pub fn make(students: usize, seed: u64, rate: f64) -> Self {
        let mut maker = Maker::new(seed);
        maker.schools(students.div_ceil(SCHOOL_STUDENTS).max(SCHOOLS));
        for index in 0..students {
            maker.student(index);
        }
        maker.clean_stories();
        maker.faults(students, rate);
        maker.lists();
        maker.extra_lines();
        maker.finish()
    }
}

struct Maker {
    random: StdRng,
    world: World,
    numbers: HashSet<String>,
    counties: Vec<&'static str>,
    abolished: Vec<&'static str>,
    /// Lines that faults add, beside the regular ones.
    extra: Vec<Claim>,
    /// People who are not on this list, by (person, scheme, term).
    unlisted: HashSet<(usize, &'static str, &'static str)>,
    /// Months that a regular line names, where not all.
    months: Vec<(usize, &'static str, &'static str, Vec<i32>)>,
    /// Names that a regular line writes otherwise.
    written: Vec<(usize, String)>,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut counties: Vec<&'static str> = region::all().filter(|code| code.starts_with(PROVINCE) && !code.ends_with("00")).collect();
        counties.sort_unstable();
        let ended = |code: &&str| region::spans(code).iter().all(|span| span.to.is_some_and(|to| to < 2016));
        let abolished =
            counties.iter().copied().filter(ended).filter(|code| region::spans(code).iter().any(|span| span.to.is_some_and(|to| to > 2002))).collect();
        counties.retain(|code| !ended(code));
        let world =
            World { schools: Vec::new(), people: Vec::new(), claims: Vec::new(), planted: Vec::new(), doubled: 0, clean: Vec::new(), registry: Vec::new() };
        Self {
            random: StdRng::seed_from_u64(seed),
            world,
            numbers: HashSet::new(),
            counties,
            abolished,
            extra: Vec::new(),
            unlisted: HashSet::new(),
            months: Vec::new(),
            written: Vec::new(),
        }
    }

    fn schools(&mut self, count: usize) {
        let agricultural: Vec<_> = codes::majors().iter().filter(|major| major.agricultural).collect();
        let others: Vec<_> = codes::majors().iter().filter(|major| !major.agricultural).collect();
        for index in 0..count {
            let region = self.counties[(index * 7) % self.counties.len()];
            let mut majors: Vec<&'static codes::Major> = (0..3).map(|offset| agricultural[(index * 3 + offset) % agricultural.len()]).collect();
            majors.extend((0..5).map(|offset| others[(index * 5 + offset) % others.len()]));
            let authority = format!("{}00", &region[..4]);
            let county = region::spans(region).last().map_or("", |span| span.name);
            self.world.schools.push(School {
                code: format!("36{PROVINCE}{:06}", index + 1),
                name: format!("{county}{}职业学校", ["第一", "中等", "现代", "农业"][index % 4]),
                region: region.to_owned(),
                authority,
                majors,
            });
        }
    }

    /// A number that nobody has.
    fn number(&mut self, birth: NaiveDate, male: bool) -> String {
        loop {
            let region = self.counties[self.random.random_range(0..self.counties.len())];
            let serial = self.random.random_range(0..499) * 2 + u32::from(male);
            let number = people::number(region, birth, serial);
            if self.numbers.insert(number.clone()) {
                return number;
            }
        }
    }

    fn student(&mut self, index: usize) {
        let school = index % self.world.schools.len();
        let within = index / self.world.schools.len();
        let grade = i32::try_from(within % 3).unwrap_or(0) + 1;
        let year = 2017 - grade;
        let major = self.world.schools[school].majors[(within / 3 / CLASS_STUDENTS) % 8];
        let birth = people::birth(&mut self.random, year, 16);
        let male = self.random.random_bool(0.5);
        let number = self.number(birth, male);
        let name = people::name(&mut self.random);
        let entry_month = year * 100 + 9;
        let class = within / 3 / CLASS_STUDENTS + 1;
        let place = Place {
            school,
            entered: day(days::ENTER),
            approved: day(days::APPROVE),
            entry: NaiveDate::from_ymd_opt(year, 9, 1).unwrap_or_default(),
            entry_month,
            events: Vec::new(),
            school_number: format!("{year}{within:05}"),
            class_name: format!("{}级{class}班", year % 100),
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
            major,
            full_time: !self.random.random_bool(0.02),
            rural: self.random.random_bool(0.7),
            places: vec![place],
            taken: false,
        };
        self.world.people.push(person);
    }

    /// Somebody without a story whom a test finds fit, from a random place on; marks them.
    fn pick(&mut self, fit: impl Fn(&Person) -> bool) -> Option<usize> {
        let count = self.world.people.len();
        let begin = self.random.random_range(0..count);
        let found = (0..count).map(|offset| (begin + offset) % count).find(|index| !self.world.people[*index].taken && fit(&self.world.people[*index]))?;
        self.world.people[found].taken = true;
        Some(found)
    }

    fn other_school(&mut self, school: usize) -> usize {
        let count = self.world.schools.len();
        (school + self.random.random_range(1..count)) % count
    }

    /// What looks wrong and is not: must stay clean.
    fn clean_stories(&mut self) {
        let each = (self.world.people.len() / 500).clamp(1, 30);
        type Story = fn(&mut Maker) -> Option<()>;
        let stories: [(&'static str, Story); 11] = [
            ("number changed, entry made under the old one", Self::number_changed),
            ("number mistyped and corrected, entry made under the old one", Self::number_mistyped),
            ("a lawful new name after the entry", Self::name_changed),
            ("blanks and dots written otherwise", Self::written_otherwise),
            ("twins in one class with one telephone", Self::twins),
            ("two of one name, born on one day", Self::same_name_same_day),
            ("back from leave with only the later months listed", Self::back_from_leave),
            ("withdrawn in mid-month with that month listed", Self::left_mid_month),
            ("moved between schools with the months split", Self::moved),
            ("an abolished region in the number", Self::abolished_region),
            ("a residence permit entered as 其他", Self::residence_permit),
        ];
        for (what, story) in stories {
            let planted = (0..each).filter(|_| story(self).is_some()).count();
            self.world.clean.push((what, planted));
        }
    }

    /// A number lawfully changed; the entry was made under the old one, and the 学籍号 keeps it.
    fn number_changed(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let (birth, male) = (self.world.people[index].birth, self.world.people[index].male);
        let number = self.number(birth, male);
        self.correct_number(index, number);
        Some(())
    }

    /// A number that was never right, of a paper that no population registry holds: nothing shows before it is corrected.
    fn number_mistyped(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let (wrong, right) = (self.permit(index), self.permit(index));
        let person = &mut self.world.people[index];
        person.document = "其他";
        person.numbers[0].0 = wrong;
        person.mistyped = true;
        self.correct_number(index, right);
        Some(())
    }

    fn correct_number(&mut self, index: usize, number: String) {
        let person = &mut self.world.people[index];
        person.numbers[0].1 = Some(day(days::CORRECT));
        person.numbers.push((number, None));
    }

    fn name_changed(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let name = people::name(&mut self.random);
        let person = &mut self.world.people[index];
        if name == person.names[0].0 {
            return None;
        }
        person.names[0].1 = Some(day(days::CORRECT));
        person.names.push((name, None));
        Some(())
    }

    fn written_otherwise(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let name = self.world.people[index].names[0].0.clone();
        let spaced: Vec<String> = name.chars().map(String::from).collect();
        self.written.push((index, spaced.join("　")));
        let index = self.pick(gets_grant)?;
        let name = people::minority_name(&mut self.random);
        let dot = ["•", "．", "・"][self.random.random_range(0..3)];
        self.written.push((index, name.replace('·', dot)));
        self.world.people[index].names[0].0 = name;
        Some(())
    }

    fn twins(&mut self) -> Option<()> {
        let first = self.pick(gets_grant)?;
        let (class, birth, phone) = {
            let person = &self.world.people[first];
            (person.places[0].class_name.clone(), person.birth, person.phone.clone())
        };
        let school = self.world.people[first].places[0].school;
        let second = self.pick(|person| gets_grant(person) && person.places[0].class_name == class && person.places[0].school == school)?;
        let male = self.world.people[second].male;
        let number = self.number(birth, male);
        let surname: String = self.world.people[first].names[0].0.chars().take(1).collect();
        let person = &mut self.world.people[second];
        (person.birth, person.phone) = (birth, phone);
        person.numbers[0].0 = number;
        let given: String = person.names[0].0.chars().skip(1).collect();
        person.names[0].0 = format!("{surname}{given}");
        Some(())
    }

    fn same_name_same_day(&mut self) -> Option<()> {
        let first = self.pick(|person| gets_grant(person) && person.male)?;
        let second = self.pick(|person| gets_grant(person) && person.male)?;
        let birth = self.world.people[first].birth;
        let number = self.number(birth, true);
        self.world.people[first].names[0].0 = "张伟".into();
        let person = &mut self.world.people[second];
        person.names[0].0 = "张伟".into();
        person.birth = birth;
        person.numbers[0].0 = number;
        Some(())
    }

    fn back_from_leave(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let person = &mut self.world.people[index];
        person.places[0].events = vec![
            Event { change: Change::Leave, effective: day("2016-10-15"), recorded: day(days::LEAVE) },
            Event { change: Change::Return, effective: day("2016-11-01"), recorded: day(days::BACK) },
        ];
        self.unlisted.insert((index, "GRANT", "2016-AUTUMN"));
        let claim = self.line(index, self.world.people[index].places[0].school, "GRANT", "2016-AUTUMN", days::SUPPLEMENT, vec![201_611, 201_612, 201_701]);
        self.extra.push(claim);
        Some(())
    }

    fn left_mid_month(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.world.people[index].places[0].events = vec![Event { change: Change::Withdraw, effective: day("2016-11-15"), recorded: day(days::MOVE) }];
        self.months.push((index, "GRANT", "2016-AUTUMN", vec![201_609, 201_610, 201_611]));
        Some(())
    }

    /// Withdrawn here and entered there, with the months split.
    fn moved(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let from = self.world.people[index].places[0].school;
        let to = self.other_school(from);
        let major = self.world.schools[to].majors[0];
        self.world.people[index].places[0].events = vec![Event { change: Change::Withdraw, effective: day("2016-11-10"), recorded: day(days::MOVE) }];
        self.months.push((index, "GRANT", "2016-AUTUMN", vec![201_609, 201_610, 201_611]));
        let number = format!("M{index:07}");
        self.world.people[index].places.push(Place {
            school: to,
            entered: day(days::MOVE),
            approved: day(days::MOVE),
            entry: day("2016-11-10"),
            entry_month: 201_611,
            events: Vec::new(),
            school_number: number,
            class_name: "16级插班".into(),
        });
        // Majors are of a person here: the old school must offer the new one too.
        self.world.people[index].major = major;
        let school = &mut self.world.schools[from];
        if !school.majors.iter().any(|known| known.code == major.code) {
            school.majors.push(major);
        }
        let claim = self.line(index, to, "GRANT", "2016-AUTUMN", days::SUPPLEMENT, vec![201_612, 201_701]);
        self.extra.push(claim);
        Some(())
    }

    fn abolished_region(&mut self) -> Option<()> {
        if self.abolished.is_empty() {
            return None;
        }
        let index = self.pick(gets_waiver)?;
        let region = self.abolished[self.random.random_range(0..self.abolished.len())];
        let (birth, male) = (self.world.people[index].birth, self.world.people[index].male);
        loop {
            let number = people::number(region, birth, self.random.random_range(0..499) * 2 + u32::from(male));
            if self.numbers.insert(number.clone()) {
                self.world.people[index].numbers[0].0 = number;
                return Some(());
            }
        }
    }

    fn residence_permit(&mut self) -> Option<()> {
        let index = self.pick(gets_waiver)?;
        let number = self.permit(index);
        let person = &mut self.world.people[index];
        person.numbers[0].0 = number;
        person.document = "其他";
        Some(())
    }

    /// A number of a residence permit that nobody has, for this person.
    fn permit(&mut self, index: usize) -> String {
        let (birth, male) = (self.world.people[index].birth, self.world.people[index].male);
        loop {
            let region = ["810000", "820000", "830000"][self.random.random_range(0..3)];
            let number = people::number(region, birth, self.random.random_range(0..499) * 2 + u32::from(male));
            if self.numbers.insert(number.clone()) {
                return number;
            }
        }
    }

    fn faults(&mut self, students: usize, rate: f64) {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a head count")]
        let each = if rate > 0.0 { ((students as f64 * rate).round() as usize).max(1) } else { 0 };
        for fault in Fault::ALL {
            let planted = (0..each).filter(|_| self.plant(fault)).count();
            self.world.planted.push((fault, planted));
        }
        // Some persons with two: a name that sounds alike, of somebody the registry does not know.
        for _ in 0..each.div_ceil(4) {
            if let Some(index) = self.pick(|person| gets_grant(person) && people::homophone(&person.names[0].0).is_some()) {
                self.world.doubled += 1;
                self.world.people[index].confirmed = false;
                let name = people::homophone(&self.world.people[index].names[0].0).unwrap_or_default();
                self.written.push((index, name));
            }
        }
    }

    fn plant(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Graduate => self.ghost(2013, 16),
            Fault::Adult => {
                let age = self.random.random_range(24..50);
                self.ghost(2016, age)
            }
            Fault::Neighbours => self.neighbours(),
            Fault::StolenNowhere => self.stolen_nowhere(),
            Fault::StolenIdentity | Fault::StolenNumber | Fault::TwiceElsewhere => self.claimed_elsewhere(fault),
            Fault::OtherRoll => self.other_roll(),
            Fault::Left => self.left(),
            Fault::LateLeave => self.late_leave(),
            Fault::Homophone => self.sounds_alike(),
            Fault::TwiceHere => self.twice_here(),
            Fault::Missing => self.missing(),
            Fault::Unverified => self.unverified(),
            Fault::ApprovedLate => self.approved_late(),
        }
    }

    fn ghost(&mut self, year: i32, age: i32) -> bool {
        let birth = people::birth(&mut self.random, year, age);
        let male = self.random.random_bool(0.5);
        let number = self.number(birth, male);
        let name = people::name(&mut self.random);
        let school = self.random.random_range(0..self.world.schools.len());
        self.extra.push(Claim {
            school,
            scheme: "GRANT",
            term: "2016-AUTUMN",
            uploaded: day(days::LIST),
            name,
            document: "居民身份证",
            number,
            months: Vec::new(),
        });
        true
    }

    /// A real person of school age, whom the registry knows and who studies nowhere.
    fn stolen_nowhere(&mut self) -> bool {
        let planted = self.ghost(2016, 16);
        if let Some(claim) = self.extra.last() {
            self.world.registry.push((claim.number.clone(), claim.name.clone()));
        }
        planted
    }

    /// Four who never lived, with neighbouring numbers.
    fn neighbours(&mut self) -> bool {
        let birth = people::birth(&mut self.random, 2016, 16);
        let school = self.random.random_range(0..self.world.schools.len());
        let region = self.world.schools[school].region.clone();
        let first = self.random.random_range(10..900);
        for offset in 0..4 {
            let number = people::number(&region, birth, first + offset);
            if !self.numbers.insert(number.clone()) {
                continue;
            }
            let name = people::name(&mut self.random);
            self.extra.push(Claim {
                school,
                scheme: "GRANT",
                term: "2016-AUTUMN",
                uploaded: day(days::LIST),
                name,
                document: "居民身份证",
                number,
                months: Vec::new(),
            });
        }
        true
    }

    fn claimed_elsewhere(&mut self, fault: Fault) -> bool {
        let Some(index) = self.pick(|person| if fault == Fault::TwiceElsewhere { gets_grant(person) } else { !gets_grant(person) }) else { return false };
        let own = self.world.people[index].places[0].school;
        let school = self.other_school(own);
        let mut claim = self.line(index, school, "GRANT", "2016-AUTUMN", days::LIST, Vec::new());
        if fault == Fault::StolenNumber {
            let name = people::name(&mut self.random);
            if name == claim.name {
                return false;
            }
            claim.name = name;
        }
        self.extra.push(claim);
        true
    }

    fn other_roll(&mut self) -> bool {
        let Some(index) = self.pick(gets_waiver) else { return false };
        let own = self.world.people[index].places[0].school;
        let school = self.other_school(own);
        // Its own school does not list it: what belongs there is missing there.
        self.unlisted.insert((index, "TUITION_WAIVER", "2016-AUTUMN"));
        let claim = self.line(index, school, "TUITION_WAIVER", "2016-AUTUMN", days::LIST, Vec::new());
        self.extra.push(claim);
        true
    }

    fn left(&mut self) -> bool {
        let Some(index) = self.pick(gets_grant) else { return false };
        self.world.people[index].places[0].events = vec![Event { change: Change::Withdraw, effective: day("2016-10-18"), recorded: day(days::LEAVE) }];
        true
    }

    fn late_leave(&mut self) -> bool {
        let Some(index) = self.pick(gets_grant) else { return false };
        self.world.people[index].places[0].events = vec![Event { change: Change::Leave, effective: day("2016-11-10"), recorded: day(days::LATE_LEAVE) }];
        true
    }

    fn sounds_alike(&mut self) -> bool {
        let Some(index) = self.pick(|person| gets_grant(person) && people::homophone(&person.names[0].0).is_some()) else { return false };
        let name = people::homophone(&self.world.people[index].names[0].0).unwrap_or_default();
        self.written.push((index, name));
        true
    }

    fn twice_here(&mut self) -> bool {
        let Some(index) = self.pick(gets_grant) else { return false };
        let school = self.world.people[index].places[0].school;
        let claim = self.line(index, school, "GRANT", "2016-AUTUMN", days::SUPPLEMENT, vec![201_611, 201_612]);
        self.extra.push(claim);
        true
    }

    fn missing(&mut self) -> bool {
        let Some(index) = self.pick(gets_waiver) else { return false };
        self.unlisted.insert((index, "TUITION_WAIVER", "2016-AUTUMN"));
        true
    }

    fn unverified(&mut self) -> bool {
        let Some(index) = self.pick(|person| gets_waiver(person) && person.document == "居民身份证") else { return false };
        self.world.people[index].confirmed = false;
        // One half is not in the registry, the other under another name.
        if self.random.random_bool(0.5) {
            let name = people::name(&mut self.random);
            self.world.people[index].registered_as = Some(name).filter(|name| *name != self.world.people[index].names[0].0);
        }
        true
    }

    fn approved_late(&mut self) -> bool {
        let Some(index) = self.pick(gets_waiver) else { return false };
        self.world.people[index].places[0].approved = day(days::LATE);
        true
    }

    fn line(&self, index: usize, school: usize, scheme: &'static str, term: &'static str, uploaded: &str, months: Vec<i32>) -> Claim {
        let person = &self.world.people[index];
        let uploaded = day(uploaded);
        let good = |list: &[(String, Option<NaiveDate>)]| {
            list.iter().find(|(_, end)| end.is_none_or(|end| uploaded <= end)).map(|(value, _)| value.clone()).unwrap_or_default()
        };
        Claim { school, scheme, term, uploaded, name: good(&person.names), document: person.document, number: good(&person.numbers), months }
    }

    /// The regular lines: who is entitled by the plain data, at the school where they are.
    fn lists(&mut self) {
        for index in 0..self.world.people.len() {
            for (scheme, term, uploaded, count) in [
                ("GRANT", "2016-AUTUMN", days::LIST, "2016-09-30"),
                ("TUITION_WAIVER", "2016-AUTUMN", days::LIST, "2016-09-30"),
                ("GRANT", "2017-SPRING", days::SPRING, "2017-03-31"),
                ("TUITION_WAIVER", "2017-SPRING", days::SPRING, "2017-03-31"),
            ] {
                let person = &self.world.people[index];
                let fits = if scheme == "GRANT" { gets_grant(person) } else { gets_waiver(person) };
                let there = person.places.iter().find(|place| super::expect::is_in_school(place, day(count), day(uploaded).max(day(count))));
                let Some(place) = there.filter(|place| place.entered <= day(uploaded)) else { continue };
                if !fits || self.unlisted.contains(&(index, scheme, term)) {
                    continue;
                }
                let months =
                    self.months.iter().find(|known| known.0 == index && known.1 == scheme && known.2 == term).map(|known| known.3.clone()).unwrap_or_default();
                let mut claim = self.line(index, place.school, scheme, term, uploaded, months);
                if term == "2016-AUTUMN"
                    && scheme == "GRANT"
                    && let Some((_, name)) = self.written.iter().rev().find(|known| known.0 == index)
                {
                    claim.name.clone_from(name);
                }
                self.world.claims.push(claim);
            }
        }
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

/// Whether a student draws the grant by the plain data: agricultural major, grade 1 or 2, full time. The demo's own reading
/// of 财科教〔2016〕35号.
pub fn gets_grant(person: &Person) -> bool {
    person.full_time && person.major.agricultural && person.places[0].entry_month >= 201_509
}

/// Whether tuition is waived by right: rural, or an agricultural major; not performing arts; grade 1 to 3; full time.
pub fn gets_waiver(person: &Person) -> bool {
    person.full_time && (person.rural || person.major.agricultural) && !person.major.performing_arts
}
