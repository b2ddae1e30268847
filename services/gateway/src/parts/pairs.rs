//! What is known of one thing: what it is called, and what it says.

use askama::{Template, filters::HtmlSafe};

use super::Cell;

/// Pairs of a word and what it says.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/pairs.html")]
pub struct Pairs(Vec<(String, Cell)>);

impl HtmlSafe for Pairs {}

impl Pairs {
    /// With a pair.
    #[must_use]
    pub fn with(mut self, word: impl Into<String>, says: impl Into<Cell>) -> Self {
        self.0.push((word.into(), says.into()));
        self
    }

    /// With a pair, where there is something to say.
    #[must_use]
    pub fn some(self, word: impl Into<String>, says: &str) -> Self {
        if says.is_empty() { self } else { self.with(word, says) }
    }
}
