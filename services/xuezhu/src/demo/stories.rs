//! What looks wrong and is not: none of it may be flagged beyond what waits for an approval.

use rand::Rng;
use xuezhu_domain::codes::Major;

use super::{
    calendar::{AUTUMN, NEXT_AUTUMN, SPRING, day, days},
    make::{Maker, draws_if_poor, enters, gets_grant, gets_waiver, is_new, stays, stays_with},
    people,
    policy::PLACES,
    world::{Change, Person, Scheme, is_opera},
};

type Story = fn(&mut Maker) -> Option<()>;

/// Every story, those for whom few are fit first.
const STORIES: [(&str, Story); 34] = [
    ("no longer entitled since a change of major, and off the list", Maker::major_lost),
    ("entitled since a change of major, and listed from then on", Maker::major_won),
    ("entitled by a change of major after the count day, and listed from the next term on", Maker::major_won_later),
    ("another major, entitled by either", Maker::other_major),
    ("outside agriculture, with a hardship level of the year", Maker::poor),
    ("as many of a school poor as there are places", Maker::as_many_as_places),
    ("poor since November, with the later months listed", Maker::suddenly_poor),
    ("poor no more, with the months before listed", Maker::poor_before),
    ("out of agriculture in mid-term, and poor from then on", Maker::poor_since_the_change),
    ("out of agriculture in mid-term, with the months before listed", Maker::major_left_in_time),
    ("never came, and on no list", Maker::never_came),
    ("never came here, and listed where the student is", Maker::came_elsewhere),
    ("approved a term late, and not asked for the term before", Maker::a_term_late),
    ("withdrawn weeks before it was recorded, and listed for the months before", Maker::withdrawn_before),
    ("gone after the count day, with the waiver of the term", Maker::gone_after_count),
    ("on leave between the first days of two months, recorded when both were over", Maker::short_leave),
    ("back on time, recorded late, and listed then", Maker::back_late),
    ("a leave over the turn of the year, back in another class", Maker::long_leave),
    ("withdrawn in the first year, entered elsewhere in the second", Maker::again_elsewhere),
    ("another class in mid-term", Maker::other_class),
    ("number changed, entry made under the old one", Maker::number_changed),
    ("number mistyped and corrected, entry made under the old one", Maker::number_mistyped),
    ("a lawful new name after the entry", Maker::name_changed),
    ("blanks and dots written otherwise", Maker::written_otherwise),
    ("twins in one class with one telephone", Maker::twins),
    ("two of one name, born on one day", Maker::same_name_same_day),
    ("back from leave with only the later months listed", Maker::back_from_leave),
    ("withdrawn in mid-month with that month listed", Maker::left_mid_month),
    ("moved between schools with the months split", Maker::moved),
    ("a tier below the highest that is theirs", Maker::lower_tier),
    ("a card of their own, of an older bank", Maker::own_card),
    ("the grant is not wanted, and on no list", Maker::not_wanted),
    ("an abolished region in the number", Maker::abolished_region),
    ("a residence permit entered as 其他", Maker::residence_permit),
];

/// Stays, and is entitled by nothing but the major, if by that.
pub(super) fn by_major_alone(person: &Person, agricultural: bool) -> bool {
    let major = person.places[0].major;
    stays(person) && !person.rural && major.agricultural == agricultural && !is_opera(major) && !major.performing_arts
}

impl Maker {
    /// Plants each story on a few.
    pub fn clean_stories(&mut self) {
        let each = (self.world.people.len() / 500).clamp(1, 30);
        for (what, story) in STORIES {
            let planted = (0..each).filter(|_| story(self).is_some()).count();
            self.world.clean.push((what, planted));
        }
    }

    /// Another major of the school, in a class of its own.
    pub fn changes_major(&mut self, index: usize, fit: impl Fn(&Major) -> bool, effective: &str, recorded: &str) -> Option<()> {
        let present = self.world.people[index].places[0].major;
        let offered = &self.world.schools[self.school_of(index)].majors;
        let major = offered.iter().copied().find(|major| major.key() != present.key() && !major.performing_arts && !is_opera(major) && fit(major))?;
        let class = format!("{}级转入班", self.world.people[index].places[0].entry_month / 100 % 100);
        self.happens(index, Change::Major(major, class), effective, recorded);
        Some(())
    }

    fn major_lost(&mut self) -> Option<()> {
        let index = self.pick(|person| by_major_alone(person, true))?;
        self.changes_major(index, |major| !major.agricultural, "2017-09-01", days::TURN)
    }

    fn major_won(&mut self) -> Option<()> {
        let index = self.pick(|person| by_major_alone(person, false))?;
        self.changes_major(index, |major| major.agricultural, "2017-09-01", days::TURN)
    }

    fn major_won_later(&mut self) -> Option<()> {
        let index = self.pick(|person| by_major_alone(person, false))?;
        self.changes_major(index, |major| major.agricultural, "2017-10-16", days::NEXT_MOVE)
    }

    /// Somebody outside agriculture with a line of the first autumn's grant.
    pub fn with_grant_of_autumn(&mut self, uploaded: &str, months: &[i32]) -> Option<usize> {
        let index = self.pick(draws_if_poor)?;
        let school = self.school_of(index);
        self.add_line(index, school, Scheme::Grant, &AUTUMN, uploaded, months);
        Some(index)
    }

    fn poor(&mut self) -> Option<()> {
        let index = self.with_grant_of_autumn(AUTUMN.listed, &[])?;
        self.determined(index, true, "2016-08-01", days::APPROVE);
        let school = self.school_of(index);
        self.add_line(index, school, Scheme::Grant, &SPRING, SPRING.listed, &[]);
        Some(())
    }

    fn as_many_as_places(&mut self) -> Option<()> {
        self.poor_of_one_school(PLACES)
    }

    fn lower_tier(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.tiers.push((index, "一档"));
        Some(())
    }

    fn own_card(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        let card = people::card(&mut self.random, "4");
        let name = self.world.people[index].names[0].0.clone();
        self.cards.push((index, card, name));
        Some(())
    }

    fn not_wanted(&mut self) -> Option<()> {
        let index = self.pick(|person| gets_grant(person) && enters(person, Scheme::Grant, &AUTUMN))?;
        self.world.people[index].waives = true;
        self.unlisted.insert((index, Scheme::Grant, AUTUMN.name));
        Some(())
    }

    fn suddenly_poor(&mut self) -> Option<()> {
        let index = self.with_grant_of_autumn(days::SUPPLEMENT, &[201_612, 201_701])?;
        self.determined(index, true, "2016-11-05", days::CORRECT);
        Some(())
    }

    fn poor_before(&mut self) -> Option<()> {
        let index = self.with_grant_of_autumn(days::SUPPLEMENT, &[201_609, 201_610, 201_611])?;
        self.determined(index, true, "2016-08-01", days::APPROVE);
        self.determined(index, false, "2016-11-02", days::CORRECT);
        Some(())
    }

    fn poor_since_the_change(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.determined(index, true, "2016-11-01", days::CORRECT);
        self.changes_major(index, |major| !major.agricultural, "2016-11-07", days::CORRECT)
    }

    fn major_left_in_time(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.only_months(index, days::SUPPLEMENT, &[201_609, 201_610, 201_611]);
        self.changes_major(index, |major| !major.agricultural, "2016-11-07", days::CORRECT)
    }

    fn other_major(&mut self) -> Option<()> {
        let index = self.pick(|person| person.rural && stays_with(person, Scheme::Waiver))?;
        self.changes_major(index, |_| true, "2017-09-01", days::TURN)
    }

    /// One of each year's new students.
    fn never_came(&mut self) -> Option<()> {
        for (term, recorded) in [(&AUTUMN, days::CORRECT), (&NEXT_AUTUMN, days::NEVER_CAME)] {
            let index = self.pick(|person| is_new(person, term))?;
            self.never_comes(index, recorded);
            self.off_lists(index, term);
        }
        Some(())
    }

    pub fn never_comes(&mut self, index: usize, recorded: &str) {
        let entry = self.world.people[index].places[0].entry.to_string();
        self.happens(index, Change::NeverCame, &entry, recorded);
    }

    fn came_elsewhere(&mut self) -> Option<()> {
        let index = self.comes_elsewhere()?;
        self.off_lists(index, &NEXT_AUTUMN);
        Some(())
    }

    /// Entered at one school, and on the first day came to another, which enters the student once the first place is free.
    pub fn comes_elsewhere(&mut self) -> Option<usize> {
        let index = self.pick(|person| enters(person, Scheme::Waiver, &NEXT_AUTUMN) && is_new(person, &NEXT_AUTUMN))?;
        self.never_comes(index, days::NEVER_CAME);
        let school = self.placed_elsewhere(index, days::NEXT_MOVE, days::NEXT_MOVE, "2017-09-01");
        for scheme in Scheme::ALL {
            self.add_line(index, school, scheme, &NEXT_AUTUMN, days::NEXT_SUPPLEMENT, &[]);
        }
        Some(index)
    }

    fn a_term_late(&mut self) -> Option<()> {
        let index = self.pick(|person| enters(person, Scheme::Waiver, &NEXT_AUTUMN) && is_new(person, &NEXT_AUTUMN))?;
        self.world.people[index].places[0].approved = day(days::TERM_LATE);
        self.off_lists(index, &NEXT_AUTUMN);
        Some(())
    }

    fn withdrawn_before(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.happens(index, Change::Withdraw, "2016-11-15", days::LATE_LEAVE);
        self.only_months(index, days::SUPPLEMENT, &[201_609, 201_610, 201_611]);
        Some(())
    }

    /// Of the first autumn's grant only some months, on a supplementary list.
    fn only_months(&mut self, index: usize, uploaded: &str, months: &[i32]) {
        self.unlisted.insert((index, Scheme::Grant, AUTUMN.name));
        let school = self.school_of(index);
        self.add_line(index, school, Scheme::Grant, &AUTUMN, uploaded, months);
    }

    fn gone_after_count(&mut self) -> Option<()> {
        let index = self.pick(|person| stays_with(person, Scheme::Grant))?;
        self.happens(index, Change::Withdraw, "2017-10-09", days::NEXT_MOVE);
        self.unlisted.insert((index, Scheme::Grant, NEXT_AUTUMN.name));
        let school = self.school_of(index);
        self.add_line(index, school, Scheme::Grant, &NEXT_AUTUMN, days::NEXT_SUPPLEMENT, &[201_709, 201_710]);
        Some(())
    }

    fn short_leave(&mut self) -> Option<()> {
        let index = self.pick(|person| stays_with(person, Scheme::Grant))?;
        self.happens(index, Change::Leave, "2017-11-03", days::LATE_RECORDS);
        self.happens(index, Change::Return, "2017-11-28", days::LATE_RECORDS);
        Some(())
    }

    fn back_late(&mut self) -> Option<()> {
        self.comes_back(days::NEXT_MOVE, days::NEXT_SUPPLEMENT)
    }

    /// On leave for a spring, back on the first day of the second year: when that is recorded, and when the school lists it.
    pub fn comes_back(&mut self, recorded: &str, listed: &str) -> Option<()> {
        let index = self.pick(|person| stays_with(person, Scheme::Waiver))?;
        self.happens(index, Change::Leave, "2017-02-20", days::SPRING);
        self.happens(index, Change::Return, "2017-09-01", recorded);
        self.add_lines(index, listed);
        Some(())
    }

    /// Lines of the second autumn for what somebody is entitled to there, whatever is recorded.
    pub fn add_lines(&mut self, index: usize, uploaded: &str) {
        let school = self.school_of(index);
        for scheme in Scheme::ALL {
            if enters(&self.world.people[index], scheme, &NEXT_AUTUMN) {
                self.add_line(index, school, scheme, &NEXT_AUTUMN, uploaded, &[]);
            }
        }
    }

    fn long_leave(&mut self) -> Option<()> {
        let index = self.pick(|person| stays(person) && gets_grant(person))?;
        self.happens(index, Change::Leave, "2016-11-03", days::CORRECT);
        self.happens(index, Change::Return, "2017-09-01", days::TURN);
        self.happens(index, Change::Class("复学班".into()), "2017-09-04", days::TURN);
        self.only_months(index, days::SUPPLEMENT, &[201_609, 201_610, 201_611]);
        Some(())
    }

    fn again_elsewhere(&mut self) -> Option<()> {
        let index = self.pick(|person| stays(person) && gets_waiver(person))?;
        self.happens(index, Change::Withdraw, "2017-07-10", days::YEAR_END);
        self.placed_elsewhere(index, days::TURN, days::NEXT_APPROVE, "2017-09-01");
        Some(())
    }

    fn other_class(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.happens(index, Change::Class("16级调整班".into()), "2016-11-07", days::CORRECT);
        Some(())
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
        let male = self.world.people[index].male;
        let name = people::name(&mut self.random, male);
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
        let school = self.school_of(first);
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
        self.happens(index, Change::Leave, "2016-10-15", days::LEAVE);
        self.happens(index, Change::Return, "2016-11-01", days::BACK);
        self.only_months(index, days::SUPPLEMENT, &[201_611, 201_612, 201_701]);
        Some(())
    }

    fn left_mid_month(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.happens(index, Change::Withdraw, "2016-11-15", days::MOVE);
        self.months.push((index, vec![201_609, 201_610, 201_611]));
        Some(())
    }

    /// Withdrawn here and entered there, with the months split.
    fn moved(&mut self) -> Option<()> {
        let index = self.pick(gets_grant)?;
        self.happens(index, Change::Withdraw, "2016-11-10", days::MOVE);
        self.months.push((index, vec![201_609, 201_610, 201_611]));
        let to = self.placed_elsewhere(index, days::MOVE, days::MOVE, "2016-11-10");
        self.add_line(index, to, Scheme::Grant, &AUTUMN, days::SUPPLEMENT, &[201_612, 201_701]);
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
}
