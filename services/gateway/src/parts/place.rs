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
    /// The way to a page by its number alone.
    fn numbered(&self, number: i64) -> Self {
        match self {
            Self::Link(address) => Self::Link(address.clone().with("at", if number > 1 { number.to_string() } else { String::new() })),
            Self::Posted { action, fields } => {
                let mut fields: Vec<(String, String)> = fields.iter().filter(|(name, _)| name != "page" && name != "at").cloned().collect();
                fields.push(("at".into(), number.to_string()));
                Self::Posted { action: action.clone(), fields }
            }
        }
    }

    /// The way to a page, by its mark and number.
    fn to(&self, mark: &str, number: i64) -> Self {
        match self {
            Self::Link(address) => Self::Link(address.clone().with("page", mark).with("at", if mark.is_empty() { String::new() } else { number.to_string() })),
            Self::Posted { action, fields } => {
                let mut fields: Vec<(String, String)> = fields.iter().filter(|(name, _)| name != "page" && name != "at").cloned().collect();
                fields.push(("page".into(), mark.into()));
                // Without a mark it is the first page.
                fields.push(("at".into(), if mark.is_empty() { "1".to_owned() } else { number.to_string() }));
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
    /// Whether the way back skips pages: no mark leads to the one before, so it is the first.
    to_first: bool,
    /// Where all of them stand on one page, to be printed.
    whole: Option<Address>,
}

impl HtmlSafe for Place {}

impl Place {
    /// The page of this number, counted from one, of so many rows of which a page holds some; nothing on and nothing back.
    pub fn of(total: impl Into<i64>, unit: &'static str, number: i64, on_a_page: impl Into<i64>) -> Self {
        let (total, rows) = (total.into(), on_a_page.into().max(1));
        let pages = (total.max(1) - 1) / rows + 1;
        Self { total: Some(total), unit, number: number.clamp(1, pages), pages, previous: None, next: None, to_first: false, whole: None }
    }

    /// The page of this number, with so many rows; how many there are in all nobody counted. The only page holds them all.
    pub fn uncounted(rows: usize, unit: &'static str, number: i64) -> Self {
        Self { total: i64::try_from(rows).ok(), unit, ..Self::numbered(number) }
    }

    /// The way on, by the mark that the service gave, and back to the first page, where it gives no other; of rows that nobody counted.
    #[must_use]
    pub fn way_on(self, way: &Way, next: &str) -> Self {
        let total = self.total.filter(|_| self.pages > 0 || self.number == 1 && next.is_empty());
        let back = (self.number > 1).then_some("");
        Self { total, ..self }.ways(way, back, next)
    }

    /// The page of this number, of rows that nobody counted.
    pub fn numbered(number: i64) -> Self {
        Self { total: None, unit: "", number: number.max(1), pages: 0, previous: None, next: None, to_first: false, whole: None }
    }

    /// The ways on and back, by the marks that the service gave; an empty mark is no way on, and back it is the first page.
    #[must_use]
    pub fn ways(mut self, way: &Way, previous: Option<&str>, next: &str) -> Self {
        self.to_first = self.number > 2 && previous == Some("");
        self.previous = previous.map(|mark| way.to(mark, self.number - 1));
        self.next = (!next.is_empty()).then(|| way.to(next, self.number + 1));
        self
    }

    /// The way to all of them at once, to be printed; none where there is nothing, or whoever looks prints no such table.
    #[must_use]
    pub fn printed(self, whole: Option<Address>) -> Self {
        Self { whole: whole.filter(|_| self.total.is_some_and(|total| total > 0)), ..self }
    }

    /// The ways on and back, where pages are asked for by their numbers.
    #[must_use]
    pub fn by_number(mut self, way: &Way) -> Self {
        self.previous = (self.number > 1).then(|| way.numbered(self.number - 1));
        self.next = (self.number < self.pages).then(|| way.numbered(self.number + 1));
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
        let (word, rel) = if self.to_first { ("第一页", "first") } else { ("上一页", "prev") };
        [(word, rel, &self.previous), ("下一页", "next", &self.next)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_where_one_is_and_led_on_and_back() {
        let way = Way::Link(Address::of("/imports"));
        let told = |place: Place| {
            let led = |(word, _, way): (&str, &str, &Option<Way>)| match way {
                Some(Way::Link(address)) => Some(format!("{word} {address}")),
                Some(Way::Posted { .. }) | None => None,
            };
            (place.total(), place.buttons().into_iter().filter_map(led).collect::<Vec<_>>().join("，"))
        };
        for (place, total, ways) in [
            (Place::of(5978, "人", 2, 100).ways(&way, Some(""), "m"), Some("5,978"), "上一页 /imports，下一页 /imports?page=m&at=3"),
            (Place::of(5978, "人", 3, 100).ways(&way, Some("k"), "m"), Some("5,978"), "上一页 /imports?page=k&at=2，下一页 /imports?page=m&at=4"),
            (Place::of(5978, "人", 3, 100).way_on(&way, ""), Some("5,978"), "第一页 /imports"),
            (Place::uncounted(3, "条", 0).way_on(&way, ""), Some("3"), ""),
            (Place::uncounted(50, "条", 1).way_on(&way, "m"), None, "下一页 /imports?page=m&at=2"),
            (Place::uncounted(7, "条", 2).way_on(&way, ""), None, "上一页 /imports"),
            (Place::uncounted(7, "条", 3).way_on(&way, ""), None, "第一页 /imports"),
        ] {
            assert_eq!(told(place), (total.map(str::to_owned), ways.to_owned()));
        }
    }
}
