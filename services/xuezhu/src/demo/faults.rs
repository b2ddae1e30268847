//! What is planted and must be found.

use rand::Rng;

use super::{
    calendar::{AUTUMN, NEXT_AUTUMN, NEXT_SPRING, SPRING, Term, day, days},
    make::{Maker, enters, gets_grant, gets_waiver, is_new, stays_with},
    people,
    policy::{PLACES, UNLISTED},
    stories::by_major_alone,
    world::{Change, Claim, Person, Scheme},
};

/// Of a fault that is recorded one by one, one is planted where another is planted so often.
const RECORDED: usize = 4;

/// A fault that is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum Fault {
    /// Entitled since a change of major, and left off the list.
    MajorForgotten,
    /// Entitled since a change of major that is recorded when the lists are closed.
    MajorRecordedLate,
    /// Left off the list for a change of major that is recorded late.
    MajorLostLate,
    /// Listed on after a change of major by which the grant ended.
    MajorLeft,
    /// Listed for months before the hardship was determined.
    PoorLater,
    /// Listed for months after the hardship ended.
    PoorNoMore,
    /// A grant for somebody outside agriculture without a hardship level.
    NotPoor,
    /// Listed though the student never came.
    NeverCame,
    /// Listed though the student never came but went to another school, which lists the student too.
    CameElsewhere,
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
    /// A student who left over the summer is listed in the second year.
    LeftOverSummer,
    /// A leave is recorded two months late.
    LateLeave,
    /// A withdrawal is recorded four months late; a month and the next term's lists were approved meanwhile.
    LateWithdrawal,
    /// Listed as back from leave, months before the return is recorded.
    LateReturn,
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
    /// More of a school poor than there are places.
    TooManyPoor,
    /// A tier that is for others.
    HigherTier,
    /// Two students with one card.
    OneCard,
    /// A card that is somebody else's.
    OthersCard,
    /// A student is listed who signed not to want it.
    Unwanted,
    /// A student of a private school is listed that is not on the province's list.
    PrivateNotListed,
}

impl Fault {
    /// Every fault, those for which few are fit first.
    pub const ALL: [Self; 33] = [
        Self::TooManyPoor,
        Self::MajorForgotten,
        Self::MajorRecordedLate,
        Self::MajorLostLate,
        Self::MajorLeft,
        Self::PoorLater,
        Self::PoorNoMore,
        Self::NotPoor,
        Self::NeverCame,
        Self::CameElsewhere,
        Self::Graduate,
        Self::Adult,
        Self::Neighbours,
        Self::StolenIdentity,
        Self::StolenNumber,
        Self::StolenNowhere,
        Self::OtherRoll,
        Self::Left,
        Self::LeftOverSummer,
        Self::LateLeave,
        Self::LateWithdrawal,
        Self::LateReturn,
        Self::Homophone,
        Self::TwiceHere,
        Self::TwiceElsewhere,
        Self::Missing,
        Self::Unverified,
        Self::ApprovedLate,
        Self::HigherTier,
        Self::OneCard,
        Self::OthersCard,
        Self::Unwanted,
        Self::PrivateNotListed,
    ];

    /// Whether it takes changes that the second year brought, each recorded one by one: those are planted on a quarter of the share.
    fn is_recorded(self) -> bool {
        match self {
            Self::MajorForgotten
            | Self::MajorRecordedLate
            | Self::MajorLostLate
            | Self::MajorLeft
            | Self::PoorLater
            | Self::PoorNoMore
            | Self::TooManyPoor
            | Self::NeverCame
            | Self::CameElsewhere
            | Self::LeftOverSummer
            | Self::LateWithdrawal
            | Self::LateReturn => true,
            Self::NotPoor
            | Self::Graduate
            | Self::Adult
            | Self::Neighbours
            | Self::StolenIdentity
            | Self::StolenNumber
            | Self::StolenNowhere
            | Self::OtherRoll
            | Self::Left
            | Self::LateLeave
            | Self::Homophone
            | Self::TwiceHere
            | Self::TwiceElsewhere
            | Self::Missing
            | Self::Unverified
            | Self::HigherTier
            | Self::OneCard
            | Self::OthersCard
            | Self::Unwanted
            | Self::PrivateNotListed
            | Self::ApprovedLate => false,
        }
    }
}

impl Maker {
    /// Plants each fault on a share of the students.
    pub fn faults(&mut self, faults: &[Fault], students: usize, rate: f64) {
        let each = share(students, rate);
        for fault in faults {
            let each = if fault.is_recorded() { each.div_ceil(RECORDED) } else { each };
            let planted = (0..each).filter(|_| self.plant(*fault).is_some()).count();
            self.world.planted.push((*fault, planted));
        }
    }

    /// Some persons with two faults: a name that sounds alike, of somebody the registry does not know.
    pub fn doubled(&mut self, students: usize, rate: f64) {
        self.world.doubled = (0..share(students, rate).div_ceil(4)).filter(|_| self.double().is_some()).count();
    }

    fn double(&mut self) -> Option<()> {
        let index = self.pick(|person| gets_grant(person) && people::homophone(&person.names[0].0).is_some())?;
        self.world.people[index].confirmed = false;
        let name = people::homophone(&self.world.people[index].names[0].0).unwrap_or_default();
        self.written.push((index, name));
        Some(())
    }

    fn plant(&mut self, fault: Fault) -> Option<()> {
        match fault {
            Fault::MajorForgotten => self.major_forgotten(),
            Fault::MajorRecordedLate => self.major_recorded_late(),
            Fault::MajorLostLate => self.major_lost_late(),
            Fault::MajorLeft => self.major_left(),
            Fault::PoorLater => self.poor_later(),
            Fault::PoorNoMore => self.poor_no_more(),
            Fault::NotPoor => self.not_poor(),
            Fault::NeverCame => self.listed_and_never_came(),
            Fault::CameElsewhere => self.comes_elsewhere().map(drop),
            Fault::Graduate => {
                self.ghost(-3, 16);
                Some(())
            }
            Fault::Adult => {
                let age = self.random.random_range(24..50);
                self.ghost(0, age);
                Some(())
            }
            Fault::Neighbours => {
                self.neighbours();
                Some(())
            }
            Fault::StolenNowhere => self.stolen_nowhere(),
            Fault::StolenIdentity | Fault::StolenNumber | Fault::TwiceElsewhere => self.claimed_elsewhere(fault),
            Fault::OtherRoll => self.other_roll(),
            Fault::Left => self.left(),
            Fault::LeftOverSummer => self.left_over_summer(),
            Fault::LateLeave => self.late_leave(),
            Fault::LateWithdrawal => self.late_withdrawal(),
            Fault::LateReturn => self.comes_back(days::LATE_RECORDS, days::NEXT_LIST),
            Fault::Homophone => self.sounds_alike(),
            Fault::TwiceHere => self.twice_here(),
            Fault::Missing => self.missing(),
            Fault::Unverified => self.unverified(),
            Fault::ApprovedLate => self.approved_late(),
            Fault::TooManyPoor => self.poor_of_one_school(PLACES + 1),
            Fault::HigherTier => self.higher_tier(),
            Fault::OneCard => self.one_card(),
            Fault::OthersCard => self.others_card(),
            Fault::Unwanted => self.unwanted(),
            Fault::PrivateNotListed => self.private_not_listed(),
        }
    }

    fn major_forgotten(&mut self) -> Option<()> {
        let index = self.pick(|person| by_major_alone(person, false))?;
        self.unlisted.insert((index, Scheme::Waiver, NEXT_AUTUMN.name));
        self.changes_major(index, |major| major.agricultural, "2017-09-01", days::TURN)
    }

    fn major_recorded_late(&mut self) -> Option<()> {
        let index = self.pick(|person| by_major_alone(person, false))?;
        self.changes_major(index, |major| major.agricultural, "2017-09-11", days::LATE_RECORDS)
    }

    fn major_lost_late(&mut self) -> Option<()> {
        let index = self.pick(|person| by_major_alone(person, true))?;
        self.off_lists(index, &NEXT_AUTUMN);
        self.changes_major(index, |major| !major.agricultural, "2017-09-11", days::LATE_RECORDS)
    }

    fn major_left(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.changes_major(index, |major| !major.agricultural, "2016-11-07", days::CORRECT)
    }

    fn poor_later(&mut self) -> Option<()> {
        let index = self.with_grant_of_autumn(days::SUPPLEMENT, &[])?;
        self.determined(index, true, "2016-11-05", days::CORRECT);
        Some(())
    }

    fn poor_no_more(&mut self) -> Option<()> {
        let index = self.with_grant_of_autumn(AUTUMN.listed, &[])?;
        self.determined(index, true, "2016-08-01", days::APPROVE);
        self.determined(index, false, "2016-11-20", days::LATE_LEAVE);
        Some(())
    }

    fn not_poor(&mut self) -> Option<()> {
        self.with_grant_of_autumn(AUTUMN.listed, &[]).map(drop)
    }

    fn higher_tier(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.tiers.push((index, "三档"));
        Some(())
    }

    fn one_card(&mut self) -> Option<()> {
        let card = people::card(&mut self.random, "62");
        for _ in 0..2 {
            let index = self.pick(gets_grant)?;
            self.cards.push((index, card.clone(), String::new()));
        }
        Some(())
    }

    fn others_card(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let name = people::name(&mut self.random, true);
        if name == self.world.people[index].names[0].0 {
            return None;
        }
        let card = people::card(&mut self.random, "62");
        self.cards.push((index, card, name));
        Some(())
    }

    fn unwanted(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.world.people[index].waives = true;
        Some(())
    }

    fn private_not_listed(&mut self) -> Option<()> {
        let is_fit = |person: &Person| {
            let place = &person.places[0];
            person.full_time && place.school == UNLISTED && place.major.agricultural && matches!(place.entry_month, 201_609 | 201_709)
        };
        let index = self.pick(is_fit)?;
        self.add_line(index, UNLISTED, Scheme::Grant, &NEXT_SPRING, days::NEXT_SPRING, &[]);
        Some(())
    }

    fn listed_and_never_came(&mut self) -> Option<()> {
        let index = self.pick(|person| enters(person, Scheme::Waiver, &NEXT_AUTUMN) && is_new(person, &NEXT_AUTUMN))?;
        self.never_comes(index, days::NEVER_CAME);
        Some(())
    }

    /// One of the autumns.
    fn some_autumn(&mut self) -> &'static Term {
        if self.random.random_bool(0.5) { &AUTUMN } else { &NEXT_AUTUMN }
    }

    /// Somebody who never was a student, on an autumn's list: who would have entered so many years from then, at this age.
    fn ghost(&mut self, years: i32, age: i32) {
        let term = self.some_autumn();
        let birth = people::birth(&mut self.random, term.school_year + years, age);
        let male = self.random.random_bool(0.5);
        let number = self.number(birth, male);
        let name = people::name(&mut self.random, male);
        let school = self.random.random_range(0..self.world.schools.len());
        self.extra.push(nobody(school, term, name, number));
    }

    /// A real person of school age, whom the registry knows and who studies nowhere.
    fn stolen_nowhere(&mut self) -> Option<()> {
        self.ghost(0, 16);
        let claim = self.extra.last()?;
        self.world.registry.push((claim.number.clone(), claim.name.clone()));
        Some(())
    }

    /// Four who never lived, with neighbouring numbers.
    fn neighbours(&mut self) {
        let term = self.some_autumn();
        let birth = people::birth(&mut self.random, term.school_year, 16);
        let school = self.random.random_range(0..self.world.schools.len());
        let region = self.world.schools[school].region.clone();
        let first = self.random.random_range(10..900);
        for offset in 0..4 {
            let number = people::number(&region, birth, first + offset);
            if self.numbers.insert(number.clone()) {
                let name = people::name(&mut self.random, (first + offset) % 2 == 1);
                self.extra.push(nobody(school, term, name, number));
            }
        }
    }

    fn claimed_elsewhere(&mut self, fault: Fault) -> Option<()> {
        let index = self.pick(|person| person.places[0].entered <= day(AUTUMN.listed) && gets_grant(person) == (fault == Fault::TwiceElsewhere))?;
        let own = self.school_of(index);
        let school = self.other_school(own);
        let mut claim = self.line(index, school, Scheme::Grant, &AUTUMN, AUTUMN.listed, &[]);
        if fault == Fault::StolenNumber {
            let name = people::name(&mut self.random, self.world.people[index].male);
            if name == claim.name {
                return None;
            }
            claim.name = name;
        }
        self.extra.push(claim);
        Some(())
    }

    fn other_roll(&mut self) -> Option<()> {
        let index = self.pick(gets_waiver)?;
        let own = self.school_of(index);
        let school = self.other_school(own);
        // Its own school does not list it: what belongs there is missing there.
        self.unlisted.insert((index, Scheme::Waiver, AUTUMN.name));
        self.add_line(index, school, Scheme::Waiver, &AUTUMN, AUTUMN.listed, &[]);
        Some(())
    }

    fn left(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.happens(index, Change::Withdraw, "2016-10-18", days::LEAVE);
        Some(())
    }

    fn left_over_summer(&mut self) -> Option<()> {
        let index = self.pick(|person| stays_with(person, Scheme::Waiver))?;
        self.happens(index, Change::Withdraw, "2017-08-21", days::TURN);
        self.add_lines(index, NEXT_AUTUMN.listed);
        Some(())
    }

    fn late_leave(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.happens(index, Change::Leave, "2016-11-10", days::LATE_LEAVE);
        Some(())
    }

    fn late_withdrawal(&mut self) -> Option<()> {
        let index = self.pick(|person| gets_grant(person) && enters(person, Scheme::Grant, &SPRING))?;
        self.happens(index, Change::Withdraw, "2016-12-05", days::LATE_WITHDRAWAL);
        Some(())
    }

    fn sounds_alike(&mut self) -> Option<()> {
        let index = self.pick(|person| gets_grant(person) && people::homophone(&person.names[0].0).is_some())?;
        let name = people::homophone(&self.world.people[index].names[0].0).unwrap_or_default();
        self.written.push((index, name));
        Some(())
    }

    fn twice_here(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let school = self.school_of(index);
        self.add_line(index, school, Scheme::Grant, &AUTUMN, days::SUPPLEMENT, &[201_611, 201_612]);
        Some(())
    }

    fn missing(&mut self) -> Option<()> {
        let term = self.some_autumn();
        let index = self.pick(|person| enters(person, Scheme::Waiver, term))?;
        self.unlisted.insert((index, Scheme::Waiver, term.name));
        Some(())
    }

    fn unverified(&mut self) -> Option<()> {
        let index = self.pick(|person| gets_waiver(person) && person.document == "居民身份证")?;
        self.world.people[index].confirmed = false;
        // One half is not in the registry, the other under another name.
        if self.random.random_bool(0.5) {
            let name = people::name(&mut self.random, self.world.people[index].male);
            self.world.people[index].registered_as = Some(name).filter(|name| *name != self.world.people[index].names[0].0);
        }
        Some(())
    }

    fn approved_late(&mut self) -> Option<()> {
        let index = self.pick(gets_waiver)?;
        self.world.people[index].places[0].approved = day(days::LATE);
        Some(())
    }
}

/// A share of a head count; somebody, unless it is none.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a head count")]
fn share(students: usize, rate: f64) -> usize {
    if rate > 0.0 { ((students as f64 * rate).round() as usize).max(1) } else { 0 }
}

/// A line for somebody who never was a student.
fn nobody(school: usize, term: &'static Term, name: String, number: String) -> Claim {
    let (document, months, card, holder) = ("居民身份证", Vec::new(), String::new(), String::new());
    Claim { school, scheme: Scheme::Grant, term, uploaded: day(term.listed), name, document, number, months, tier: "", card, holder }
}
