//! The demo: a province lives through two school years, on real workbooks, through the gateway, and what the system finds is
//! compared with what was planted.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`calendar`] | terms, and the days on which things happen |
//! | [`world`] | schools, people and lines of lists, and what holds of them on a day as it was known on another |
//! | `make`, [`people`] | the world from a seed |
//! | [`faults`] | what is planted and must be found |
//! | `stories` | what looks wrong, is not, and must not be found |
//! | [`expect`] | what must be found at each checkpoint: naive, and dependent on neither the aid service nor its judge |
//! | [`policy`] | the policy of the province |
//! | [`book`] | the workbooks, in the real format |
//! | [`play`] | the years, day by day, and the comparison |
//! | `acts` | what schools and departments do |
//! | [`accounts`] | who logs in by which password |
//!
//! To plant another fault: a variant of [`faults::Fault`], what it does to the world, and nothing else: the expectation
//! follows from the world. Likewise a story.

pub mod accounts;
mod acts;
mod around;
pub mod book;
pub mod calendar;
pub mod expect;
pub mod faults;
mod make;
pub mod people;
pub mod play;
pub mod policy;
mod stories;
pub mod world;

use std::collections::BTreeMap;

use serde::Serialize;

use expect::Expected;

/// How the flags of one rule at one checkpoint compare with what was expected.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Score {
    /// Flags that had to be found.
    pub expected: usize,
    /// Flags that were found.
    pub found: usize,
    /// Flags in both.
    pub matched: usize,
}

impl Score {
    /// Whether nothing is missing and nothing too much.
    pub fn is_exact(&self) -> bool {
        self.expected == self.matched && self.found == self.matched
    }
}

/// Compares two multisets of flags, by rule.
pub fn compare(expected: &[Expected], found: &[Expected]) -> BTreeMap<String, Score> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut left: BTreeMap<&Expected, usize> = BTreeMap::new();
    for flag in expected {
        *left.entry(flag).or_default() += 1;
        scores.entry(flag.rule.clone()).or_default().expected += 1;
    }
    for flag in found {
        let score = scores.entry(flag.rule.clone()).or_default();
        score.found += 1;
        if let Some(count) = left.get_mut(flag)
            && *count > 0
        {
            *count -= 1;
            score.matched += 1;
        }
    }
    scores
}
