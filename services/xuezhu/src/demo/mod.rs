//! The demo: a province lives through a school year, on real workbooks, through the gateway, and what the system finds is
//! compared with what was planted.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`world`] | schools and people, with their faults, from a seed |
//! | [`expect`] | what must be found at each checkpoint: naive, and dependent on neither the aid service nor its judge |
//! | [`book`] | the workbooks, in the real format |
//! | [`play`] | the school year, played as the schools and departments |
//!
//! To plant another fault: a variant of [`world::Fault`], what it does to the world, and nothing else: the expectation
//! follows from the world.

pub mod book;
pub mod expect;
pub mod people;
pub mod play;
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
