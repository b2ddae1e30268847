//! A cell of a table: what it says, and what stands with it.

use askama::{Template, filters::HtmlSafe};

use super::{Address, Form, Tone};
use crate::pages::show;

/// A piece of a cell.
#[derive(Debug, Clone)]
pub enum Piece {
    /// A text.
    Text(String),
    /// A text that matters.
    Strong(String),
    /// Where it leads.
    Link(Address, String),
    /// What it means, and where that leads.
    Mark(Tone, String, Option<Address>),
    /// A name whose marked characters differ from another's.
    Differing(Vec<(char, bool)>),
    /// Something said beside it, on a line of its own.
    Beside(String),
    /// What can be done at once.
    Act(Box<Form>),
}

/// How a cell stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    #[default]
    Words,
    /// A number: to the right.
    Number,
    /// A day or a code: unbroken.
    Unbroken,
}

/// A cell.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/cell.html")]
pub struct Cell {
    pieces: Vec<Piece>,
    /// How it stands.
    pub kind: Kind,
}

impl HtmlSafe for Cell {}

impl Cell {
    fn of(piece: Piece, kind: Kind) -> Self {
        Self { pieces: vec![piece], kind }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Piece::Text(text.into()), Kind::Words)
    }

    /// A text that matters.
    pub fn strong(text: impl Into<String>) -> Self {
        Self::of(Piece::Strong(text.into()), Kind::Words)
    }

    /// A name, with what differs from another marked.
    pub fn differing(name: &str, other: &str) -> Self {
        Self::of(Piece::Differing(show::differing(name, other)), Kind::Words)
    }

    /// A number.
    pub fn number(number: impl Into<i64>) -> Self {
        Self::of(Piece::Text(show::grouped(number.into())), Kind::Number)
    }

    /// Fen, in yuan.
    pub fn yuan(fen: i64) -> Self {
        Self::of(Piece::Text(show::yuan(&fen)), Kind::Number)
    }

    /// A day, or a code: never broken.
    pub fn unbroken(text: impl Into<String>) -> Self {
        Self::of(Piece::Text(text.into()), Kind::Unbroken)
    }

    /// A link.
    pub fn link(address: impl Into<Address>, text: impl Into<String>) -> Self {
        Self::of(Piece::Link(address.into(), text.into()), Kind::Words)
    }

    /// What it means.
    pub fn mark(tone: Tone, word: impl Into<String>) -> Self {
        Self::of(Piece::Mark(tone, word.into(), None), Kind::Words)
    }

    /// What can be done at once.
    pub fn act(form: Form) -> Self {
        Self::of(Piece::Act(Box::new(form)), Kind::Words)
    }

    /// With a further piece.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// With a further piece, where there is one.
    #[must_use]
    pub fn maybe(self, other: Option<Self>) -> Self {
        match other {
            Some(other) => self.and(other),
            None => self,
        }
    }

    /// With a mark that leads somewhere.
    #[must_use]
    pub fn marked(mut self, tone: Tone, word: impl Into<String>, address: impl Into<Address>) -> Self {
        self.pieces.push(Piece::Mark(tone, word.into(), Some(address.into())));
        self
    }

    /// With something said beside it; nothing where that is empty.
    #[must_use]
    pub fn beside(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.pieces.push(Piece::Beside(text));
        }
        self
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::text(text.as_str())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Address {
    fn from(path: &str) -> Self {
        Self::of(path)
    }
}

impl From<String> for Address {
    fn from(path: String) -> Self {
        Self::of(path)
    }
}
