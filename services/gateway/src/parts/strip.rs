//! Months: what one side claims, what the other says, beside each other; or both on one long axis.

use askama::{Template, filters::HtmlSafe};

use crate::pages::show;

/// What a month is on one side, and what that means: a class of the stylesheet.
pub type Says = (&'static str, String);

/// A month.
#[derive(Debug, Clone, Default)]
pub struct Month {
    /// YYYYMM.
    pub month: i32,
    /// What each lane says, in the order of the lanes.
    pub lanes: Vec<Vec<Says>>,
}

/// A few months, each with what the lanes say.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/strip.html")]
pub struct Strip {
    /// Names of the lanes.
    pub lanes: Vec<&'static str>,
    /// Its months.
    pub months: Vec<Month>,
}

impl HtmlSafe for Strip {}

/// Many months on one axis; the latest are in sight first.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/axis.html")]
pub struct Axis {
    /// Names of the lanes.
    pub lanes: Vec<&'static str>,
    /// Its months.
    pub months: Vec<Month>,
}

impl HtmlSafe for Axis {}

impl Axis {
    /// The year, where it begins.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    fn year(&self, at: &usize) -> Option<i32> {
        let year = self.months.get(*at)?.month / 100;
        let before = at.checked_sub(1).and_then(|before| self.months.get(before)).map(|month| month.month / 100);
        (before != Some(year)).then_some(year)
    }
}
