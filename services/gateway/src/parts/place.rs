//! How many there are, where one is among them, and the ways on and back.

use askama::{Template, filters::HtmlSafe};

use super::Address;
use crate::pages::show;

/// A way to another page.
#[derive(Debug, Clone)]
pub enum Way {
    /// A link.
    Link(Address),
    /// A search that no address may tell: its fields are sent again.
    Posted {
        /// Where to.
        action: String,
        /// With what.
        fields: Vec<(String, String)>,
    },
}

impl Way {
    /// The way to a page, by its mark and number.
    fn to(&self, mark: &str, number: i64) -> Self {
        match self {
            Self::Link(address) => Self::Link(address.clone().with("page", mark).with("at", if mark.is_empty() { String::new() } else { number.to_string() })),
            Self::Posted { action, fields } => {
                let mut fields: Vec<(String, String)> = fields.iter().filter(|(name, _)| name != "page" && name != "at").cloned().collect();
                fields.push(("page".into(), mark.into()));
                fields.push(("at".into(), number.to_string()));
                Self::Posted { action: action.clone(), fields }
            }
        }
    }
}

/// Where one is among all rows.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/place.html")]
pub struct Place {
    /// How many there are, where that is known, and in what they are counted.
    total: Option<i64>,
    unit: &'static str,
    /// The page, and how many there are.
    number: i64,
    pages: i64,
    previous: Option<Way>,
    next: Option<Way>,
}

impl HtmlSafe for Place {}

impl Place {
    /// The page of this number, counted from one, of so many rows of which a page holds some; nothing on and nothing back.
    pub fn of(total: impl Into<i64>, unit: &'static str, number: i64, on_a_page: impl Into<i64>) -> Self {
        let (total, rows) = (total.into(), on_a_page.into().max(1));
        let pages = (total.max(1) - 1) / rows + 1;
        Self { total: Some(total), unit, number: number.clamp(1, pages), pages, previous: None, next: None }
    }

    /// The page of this number, of rows that nobody counted.
    pub fn numbered(number: i64) -> Self {
        Self { total: None, unit: "", number: number.max(1), pages: 0, previous: None, next: None }
    }

    /// The ways on and back, by the marks that the service gave; an empty mark is no way on, and back it is the first page.
    #[must_use]
    pub fn ways(mut self, way: &Way, previous: Option<&str>, next: &str) -> Self {
        self.previous = previous.map(|mark| way.to(mark, self.number - 1));
        self.next = (!next.is_empty()).then(|| way.to(next, self.number + 1));
        self
    }

    fn total(&self) -> Option<String> {
        self.total.map(show::grouped)
    }

    /// Whether there is anything to say: not of the only page of what nobody counted.
    fn is_needed(&self) -> bool {
        self.total.is_some() || self.number > 1 || self.next.is_some()
    }

    fn buttons(&self) -> [(&'static str, &'static str, &Option<Way>); 2] {
        [("上一页", "prev", &self.previous), ("下一页", "next", &self.next)]
    }
}
