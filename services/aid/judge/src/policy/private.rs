//! Which private schools (民办学校) may be given aid: those on the list that their province draws up, term by term.

use serde::Deserialize;
use xuezhu_domain::Term;

use super::SchemeCode;

/// A school, as policies tell schools apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct School<'s> {
    /// Code.
    pub code: &'s str,
    /// Region in which it stands; empty where it is not known.
    pub region: &'s str,
    /// Whether it is private.
    pub is_private: bool,
}

/// The private schools of some regions that may be given some schemes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateSchools {
    /// Which schemes.
    pub schemes: Vec<String>,
    /// First digits of the regions of schools for which it holds; none for all.
    #[serde(default)]
    pub regions: Vec<String>,
    /// First term.
    pub from: Term,
    /// Last term; none while it lasts.
    pub to: Option<Term>,
    /// Codes of the schools.
    pub schools: Vec<String>,
    /// Where it comes from.
    pub source: String,
}

impl PrivateSchools {
    /// Whether it is of a scheme and term.
    pub fn covers(&self, scheme: SchemeCode, term: Term) -> bool {
        self.from <= term && self.to.is_none_or(|to| term <= to) && self.schemes.iter().any(|code| code == scheme.as_str())
    }
}
