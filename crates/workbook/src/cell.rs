//! A cell, and what is wrong with it that its text does not show.

use serde::{Deserialize, Serialize};
use xuezhu_domain::text;

use crate::CELL_CHARACTERS;

/// Something about a cell that its text does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flaw {
    /// A formula: what it shows is not what somebody entered.
    Formula,
    /// An error value such as `#REF!`.
    ErrorValue,
    /// A number with more digits than a spreadsheet keeps: the last ones are lost.
    Rounded,
}

/// A cell, as text: numbers without a decimal point they don't need, dates as `YYYYMMDD`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What it holds.
    pub text: String,
    /// What is wrong with it, if anything.
    pub flaw: Option<Flaw>,
}

impl Cell {
    /// A cell that holds a text.
    pub fn text(text: &str) -> Self {
        Self { text: text.chars().take(CELL_CHARACTERS).collect(), flaw: flaw_of(text) }
    }

    /// A cell that holds a number.
    pub fn number(number: f64) -> Self {
        /// Above this, a spreadsheet has rounded: 15 digits are exact.
        const EXACT: f64 = 1e15;
        let text = if number.fract() == 0.0 && number.abs() < EXACT {
            format!("{number:.0}")
        } else if number.abs() >= EXACT {
            // As the spreadsheet shows it, so that it is seen to be rounded.
            format!("{number:.5E}").replace('E', "E+")
        } else {
            number.to_string()
        };
        Self { text, flaw: (number.abs() >= EXACT).then_some(Flaw::Rounded) }
    }

    /// Whether there is nothing in it.
    pub fn is_blank(&self) -> bool {
        self.flaw.is_none() && text::clean(&self.text).is_empty()
    }
}

/// What a text says that was another kind of cell once: saved as text, an error stays one, and a rounded number stays rounded.
fn flaw_of(text: &str) -> Option<Flaw> {
    /// As spreadsheets show them.
    const ERRORS: [&str; 9] = ["#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"];
    let text = text.trim();
    if !text.starts_with(|c: char| c == '#' || c.is_ascii_digit()) {
        return None;
    }
    if ERRORS.contains(&text) || (text.len() > 2 && text.bytes().all(|byte| byte == b'#')) {
        return Some(Flaw::ErrorValue);
    }
    // 4.30103E+17
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_rounded = whole.len() == 1 && digits(whole) && digits(part) && exponent.strip_prefix('+').is_some_and(digits);
    is_rounded.then_some(Flaw::Rounded)
}
