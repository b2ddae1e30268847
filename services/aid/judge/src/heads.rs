//! The judge of head counts: how many students two services have of a school, by year of entry and major. Counts alone, of nobody in particular:
//! what it finds holds nobody's money, and says that one of the two lost something.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xuezhu_domain::{Fen, Term};

use crate::{
    case::{Evidence, Finding, Rule, Subject},
    cause::Cause,
};

/// Students of one year of entry and one major.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Year of entry.
    pub entry_year: i32,
    /// Catalogue and code of the major; empty where none is known.
    pub major: String,
    /// How many there are.
    pub heads: Heads,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// In school.
    pub in_school: i64,
    /// On leave.
    pub on_leave: i64,
}

/// What both counted of one year of entry and one major.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Year of entry.
    pub entry_year: i32,
    /// Catalogue and code of the major; empty where none is known.
    pub major: String,
    /// What the source counted.
    pub source: Heads,
    /// What the mirror holds.
    pub mirror: Heads,
}

impl Compared {
    /// Whether both counted the same.
    pub fn agrees(&self) -> bool {
        self.source == self.mirror
    }
}

/// How many records there are, and what their versions add up to.
///
/// Versions only rise. Whoever has heard everything up to the position of a count holds each record in the version that was counted, or in a
/// higher one; so where the sums are the same, so is every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Records {
    /// How many.
    pub records: i64,
    /// Their versions, added up.
    pub versions: i64,
}

/// How a count and what a mirror holds compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The mirror holds the same.
    Agrees,
    /// It holds something else.
    Differs,
    /// It has heard of changes since: only the next count can be compared.
    ChangedSince,
    /// It has not heard everything yet that was counted.
    Behind,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Agrees, Self::Differs, Self::ChangedSince, Self::Behind];

    /// As metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::ChangedSince => "changed_since",
            Self::Behind => "behind",
        }
    }

    /// As stored, and as clients are told.
    pub const fn code(self) -> i32 {
        match self {
            Self::Agrees => 1,
            Self::Differs => 2,
            Self::ChangedSince => 3,
            Self::Behind => 4,
        }
    }
}

/// A count, beside what a mirror that stands at a position holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// Everything up to here was counted.
    pub counted_at: i64,
    /// Everything up to here was heard.
    pub heard_to: i64,
    /// Records that were counted.
    pub counted: Records,
    /// Records that the mirror holds.
    pub held: Records,
    /// Both counts.
    pub groups: Vec<Compared>,
}

impl Sides {
    /// How they compare.
    pub fn outcome(&self) -> Outcome {
        let same = self.groups.iter().all(Compared::agrees);
        if self.heard_to < self.counted_at {
            Outcome::Behind
        } else if self.held.versions > self.counted.versions || self.held.records > self.counted.records {
            Outcome::ChangedSince
        } else if same && !self.lacks_records() {
            Outcome::Agrees
        } else {
            Outcome::Differs
        }
    }

    /// Whether the mirror holds fewer records than were told, or older ones.
    pub fn lacks_records(&self) -> bool {
        self.heard_to >= self.counted_at && (self.held.versions < self.counted.versions || self.held.records < self.counted.records)
    }

    /// What is found of a school in a term, where they differ.
    pub fn finding(&self, school: &str, term: Term) -> Option<Finding> {
        (self.outcome() == Outcome::Differs).then(|| Finding {
            rule: Rule::HeadcountDiffers,
            subject: Subject::School { school: school.to_owned(), term },
            months: Vec::new(),
            amount: Fen(0),
            evidence: Evidence {
                heads: self.groups.iter().filter(|group| !group.agrees()).cloned().collect(),
                lacks_records: self.lacks_records(),
                ..Evidence::default()
            },
            cause: Cause::Heads { term },
        })
    }
}

/// Two counts, side by side.
pub fn beside(source: &[Group], mirror: &[Group]) -> Vec<Compared> {
    let mut groups: BTreeMap<(i32, &str), [Heads; 2]> = BTreeMap::new();
    for (side, counted) in [source, mirror].into_iter().enumerate() {
        for group in counted {
            let heads = &mut groups.entry((group.entry_year, &group.major)).or_default()[side];
            heads.in_school += group.heads.in_school;
            heads.on_leave += group.heads.on_leave;
        }
    }
    groups.into_iter().map(|((entry_year, major), [source, mirror])| Compared { entry_year, major: major.to_owned(), source, mirror }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(entry_year: i32, major: &str, in_school: i64, on_leave: i64) -> Group {
        Group { entry_year, major: major.into(), heads: Heads { in_school, on_leave } }
    }

    fn sides(heard_to: i64, held: (i64, i64), mirror: &[Group]) -> Sides {
        let groups = beside(&[group(2016, "a", 30, 1), group(2017, "b", 20, 0)], mirror);
        let held = Records { records: held.0, versions: held.1 };
        Sides { counted_at: 100, heard_to, counted: Records { records: 60, versions: 90 }, held, groups }
    }

    #[test]
    fn a_count_is_compared_at_its_own_position_and_nowhere_else() {
        let (same, other) = (&[group(2016, "a", 30, 1), group(2017, "b", 20, 0)][..], &[group(2016, "a", 29, 1), group(2017, "b", 20, 0)][..]);
        for (heard_to, held, mirror, outcome, lacks) in [
            (100, (60, 90), same, Outcome::Agrees, false),
            (140, (60, 90), same, Outcome::Agrees, false),
            (100, (60, 90), other, Outcome::Differs, false),
            // Something that nobody counts any more is lost too: a student who left.
            (100, (59, 88), same, Outcome::Differs, true),
            (100, (60, 89), same, Outcome::Differs, true),
            (100, (59, 88), other, Outcome::Differs, true),
            (140, (61, 91), other, Outcome::ChangedSince, false),
            (140, (60, 91), same, Outcome::ChangedSince, false),
            (99, (59, 88), other, Outcome::Behind, false),
            (99, (60, 90), same, Outcome::Behind, false),
        ] {
            let sides = sides(heard_to, held, mirror);
            assert_eq!((sides.outcome(), sides.lacks_records()), (outcome, lacks), "{heard_to} {held:?}");
            assert_eq!(sides.finding("3643000001", "2016-AUTUMN".parse().expect("a term")).is_some(), outcome == Outcome::Differs);
        }
    }

    #[test]
    fn what_only_one_side_counts_stands_beside_nothing() {
        let compared = beside(&[group(2016, "a", 3, 0)], &[group(2016, "a", 3, 0), group(2016, "", 1, 0)]);
        assert_eq!(compared.iter().map(|group| (group.major.as_str(), group.agrees())).collect::<Vec<_>>(), [("", false), ("a", true)]);
        let finding =
            Sides { counted_at: 1, heard_to: 1, counted: Records { records: 4, versions: 4 }, held: Records { records: 4, versions: 4 }, groups: compared }
                .finding("3643000001", "2016-AUTUMN".parse().expect("a term"))
                .expect("they differ");
        assert_eq!(finding.evidence.heads.len(), 1, "what agrees is no evidence");
    }
}
