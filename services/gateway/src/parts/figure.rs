//! Numbers that count: what they are, what they mean, and where the ones that they count can be seen.

use askama::{Template, filters::HtmlSafe};

use super::{Address, Tone};
use crate::pages::show;

/// A number.
#[derive(Debug, Clone)]
pub struct Figure {
    value: String,
    label: String,
    tone: Tone,
    address: Option<Address>,
    /// How it is counted, where that is not plain.
    formula: String,
}

impl Figure {
    /// What counts so many.
    pub fn count(count: impl Into<i64>, label: impl Into<String>) -> Self {
        Self::said(show::grouped(count.into()), label)
    }

    /// Fen, in yuan.
    pub fn yuan(fen: i64, label: impl Into<String>) -> Self {
        Self::said(show::yuan(&fen), label)
    }

    /// What is no number, such as a day.
    pub fn said(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), tone: Tone::Plain, address: None, formula: String::new() }
    }

    /// What it means.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// What it means where there is any.
    #[must_use]
    pub fn tone_if(self, is: bool, tone: Tone) -> Self {
        if is { self.tone(tone) } else { self }
    }

    /// Where those that it counts can be seen.
    #[must_use]
    pub fn to(self, address: impl Into<Address>) -> Self {
        Self { address: Some(address.into()), ..self }
    }

    /// How it is counted.
    #[must_use]
    pub fn formula(self, formula: impl Into<String>) -> Self {
        Self { formula: formula.into(), ..self }
    }
}

/// Numbers beside each other.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/figures.html")]
pub struct Figures(pub Vec<Figure>);

impl HtmlSafe for Figures {}
