//! Who may be let in where only so many may be. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_judge::{
    case::Excess,
    policy::{Ground, Quota},
};

/// A limit as it stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What the policy says.
    pub quota: Quota,
    /// A school's code, or the first digits of a region.
    pub place: String,
    /// Students that a share is of, by grade, and of all under 0.
    pub bases: BTreeMap<i32, i64>,
    /// By the state of which day they were counted, and on which day.
    pub counted: Option<(NaiveDate, NaiveDate)>,
    /// How many are let in, by the grade by which is counted.
    pub taken: BTreeMap<i32, i64>,
}

impl Limit {
    /// The grades by which is counted: those that there are, or all together.
    pub fn grades(&self) -> Vec<i32> {
        if !self.quota.by_grade {
            return vec![0];
        }
        let mut grades: Vec<i32> = self.bases.keys().chain(self.taken.keys()).copied().filter(|grade| *grade > 0).collect();
        grades.sort_unstable();
        grades.dedup();
        grades
    }

    /// Students that the share of a grade is of.
    pub fn base(&self, grade: i32) -> i64 {
        self.bases.get(&grade).copied().unwrap_or(0)
    }

    /// How many of a grade may be let in.
    pub fn most(&self, grade: i32) -> i64 {
        self.quota.limit(self.base(grade))
    }

    /// How many of a grade are.
    pub fn let_in(&self, grade: i32) -> i64 {
        self.taken.get(&grade).copied().unwrap_or(0)
    }

    /// How many are left.
    pub fn left(&self, grade: i32) -> i64 {
        (self.most(grade) - self.let_in(grade)).max(0)
    }

    fn counts(&self, seeking: &Seeking) -> bool {
        self.quota.counts(&seeking.grounds)
    }

    /// Why somebody is one too many; none where they are not, or are not counted.
    fn refuses(&self, seeking: &Seeking) -> Option<Excess> {
        let grade = self.quota.grade(seeking.grade);
        let is_full = self.counts(seeking) && self.left(grade) == 0;
        is_full.then(|| Excess {
            quota: self.quota.id.clone(),
            source: self.quota.source.clone(),
            of: self.place.clone(),
            grade,
            base: self.quota.persons.is_none().then(|| self.base(grade)),
            limit: self.most(grade),
        })
    }

    fn add(&mut self, seeking: &Seeking, students: i64) {
        if self.counts(seeking) {
            *self.taken.entry(self.quota.grade(seeking.grade)).or_default() += students;
        }
    }
}

/// Somebody on a list who is to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeking {
    /// Entry.
    pub entry: Uuid,
    /// Grade in the term.
    pub grade: i32,
    /// Grounds that hold, of each month that is let in; none where nobody is known at the school.
    pub grounds: Vec<Vec<Ground>>,
    /// Which of the levels of hardship, the hardest 0; whoever has none comes after all of them.
    pub level: usize,
    /// At which place of the list, as it is shown.
    pub place: usize,
}

/// Puts those who seek in the order in which they are let in: by level, the hardest first, then as the list shows them.
pub fn in_order(seeking: &mut [Seeking]) {
    seeking.sort_by_key(|one| (one.level, one.place));
}

/// The limits under which a list lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// Of each reach at most one, the widest first.
    pub limits: Vec<Limit>,
}

impl Room {
    /// Lets somebody in, or says why not.
    pub fn admit(&mut self, seeking: &Seeking) -> Result<(), Excess> {
        if let Some(excess) = self.limits.iter().find_map(|limit| limit.refuses(seeking)) {
            return Err(excess);
        }
        self.limits.iter_mut().for_each(|limit| limit.add(seeking, 1));
        Ok(())
    }

    /// Gives back the place of somebody who was admitted, and can't be let in for another reason.
    pub fn release(&mut self, seeking: &Seeking) {
        self.limits.iter_mut().for_each(|limit| limit.add(seeking, -1));
    }
}

/// Grounds as they are stored: words, joined by blanks; of several months, parted by a bar.
pub fn grounds_text(grounds: &[Vec<Ground>]) -> String {
    let set = |grounds: &Vec<Ground>| grounds.iter().map(|ground| ground.as_str()).collect::<Vec<_>>().join(" ");
    grounds.iter().map(set).collect::<Vec<_>>().join("|")
}

/// Grounds from what was stored.
pub fn grounds_of(text: &str) -> Vec<Vec<Ground>> {
    text.split('|').map(|set| set.split_whitespace().filter_map(Ground::parse).collect()).filter(|set: &Vec<Ground>| !set.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use xuezhu_judge::policy::Each;

    use super::*;

    fn quota(each: Each, persons: Option<u32>, percent: Option<u32>, by_grade: bool) -> Quota {
        Quota {
            id: format!("{each:?}"),
            scheme: "GRANT".into(),
            regions: Vec::new(),
            from: "2012-AUTUMN".parse().expect("a term"),
            to: None,
            each,
            percent,
            persons,
            limits: vec![Ground::Hardship],
            base_without: Vec::new(),
            by_grade,
            source: "文件".into(),
        }
    }

    fn limit(quota: Quota, bases: &[(i32, i64)], taken: &[(i32, i64)]) -> Limit {
        let (bases, taken) = (bases.iter().copied().collect(), taken.iter().copied().collect());
        Limit { place: format!("{:?}", quota.each), quota, bases, counted: None, taken }
    }

    fn seeking(entry: u128, level: usize, grade: i32, grounds: &[Ground]) -> Seeking {
        Seeking { entry: Uuid::from_u128(entry), grade, grounds: vec![grounds.to_vec()], level, place: usize::try_from(entry).unwrap_or(usize::MAX) }
    }

    fn admitted(room: &mut Room, mut seekers: Vec<Seeking>) -> Vec<u128> {
        in_order(&mut seekers);
        seekers.iter().filter(|one| room.admit(one).is_ok()).map(|one| one.entry.as_u128()).collect()
    }

    #[test]
    fn the_hardest_first_then_as_they_are_shown_and_only_the_excess_stays() {
        let poor = [Ground::Hardship];
        let seekers = vec![seeking(1, 2, 1, &poor), seeking(2, 0, 1, &poor), seeking(3, 1, 1, &poor), seeking(4, 0, 1, &poor), seeking(5, 3, 1, &poor)];
        for (most, taken, expected) in [(3, 0, &[2, 4, 3][..]), (3, 1, &[2, 4]), (3, 3, &[]), (3, 7, &[]), (9, 0, &[2, 4, 3, 1, 5]), (0, 0, &[])] {
            let mut room = Room { limits: vec![limit(quota(Each::School, Some(most), None, false), &[], &[(0, taken)])] };
            assert_eq!(admitted(&mut room, seekers.clone()), expected, "{most} {taken}");
        }
    }

    #[test]
    fn who_is_let_in_by_another_ground_takes_no_place() {
        let both = [Ground::AgriculturalMajor, Ground::Hardship];
        let mut room = Room { limits: vec![limit(quota(Each::School, Some(1), None, false), &[], &[(0, 1)])] };
        assert_eq!(admitted(&mut room, vec![seeking(1, 0, 1, &both), seeking(2, 0, 1, &[Ground::Hardship])]), [1]);
        assert_eq!(room.limits[0].let_in(0), 1);
        // Nor does whom no ground lets in: an officer cleared their flag.
        assert_eq!(room.admit(&seeking(3, 0, 1, &[])), Ok(()));
    }

    #[test]
    fn the_narrowest_of_several_limits_decides_and_nobody_takes_a_place_in_vain() {
        let poor = [Ground::Hardship];
        let limits = vec![limit(quota(Each::Province, None, Some(15), false), &[(0, 40)], &[]), limit(quota(Each::School, Some(2), None, false), &[], &[])];
        let mut room = Room { limits };
        assert_eq!(admitted(&mut room, (1..=9).map(|entry| seeking(entry, 0, 1, &poor)).collect()), [1, 2]);
        assert_eq!((room.limits[0].let_in(0), room.limits[0].left(0), room.limits[1].left(0)), (2, 4, 0));
        let excess = room.admit(&seeking(10, 0, 1, &poor)).expect_err("is full");
        assert_eq!((excess.of.as_str(), excess.base, excess.limit), ("School", None, 2));
        room.release(&seeking(1, 0, 1, &poor));
        assert_eq!(room.admit(&seeking(10, 0, 1, &poor)), Ok(()), "the place of one is the next one's");
        assert_eq!((room.limits[0].let_in(0), room.limits[1].let_in(0)), (2, 2));
    }

    #[test]
    fn grades_may_be_counted_each_by_itself() {
        let poor = [Ground::Hardship];
        let mut room = Room { limits: vec![limit(quota(Each::School, None, Some(20), true), &[(0, 20), (1, 10), (2, 10)], &[(1, 1)])] };
        let seekers = vec![seeking(1, 0, 1, &poor), seeking(2, 0, 1, &poor), seeking(3, 0, 2, &poor), seeking(4, 0, 3, &poor)];
        assert_eq!(admitted(&mut room, seekers), [1, 3], "there are no students of grade 3");
        assert_eq!(room.limits[0].grades(), [1, 2]);
    }

    #[test]
    fn grounds_are_read_as_they_were_stored() {
        for grounds in [vec![], vec![vec![Ground::Hardship]], vec![Ground::ALL.to_vec(), vec![Ground::Rural]]] {
            assert_eq!(grounds_of(&grounds_text(&grounds)), grounds);
        }
    }
}
