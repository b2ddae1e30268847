//! From desk to desk: where a dossier was, is, and goes on to.

use askama::{Template, filters::HtmlSafe};

use super::Cell;

/// Whether it was there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// It goes on there.
    #[default]
    Ahead,
    /// It waits there.
    Here,
    /// It was there.
    Passed,
}

impl Stage {
    fn class(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Here => "here",
            Self::Passed => "passed",
        }
    }
}

/// A desk.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Whose.
    pub name: String,
    /// What is done there, and within what time.
    pub does: String,
    /// Whether it was there.
    pub stage: Stage,
    /// Who did what, when.
    pub did: String,
    /// What goes with that.
    pub beside: Vec<String>,
    /// What it means.
    pub marks: Vec<Cell>,
}

/// Desks in their order.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/desks.html")]
pub struct Desks(pub Vec<Stop>);

impl HtmlSafe for Desks {}
