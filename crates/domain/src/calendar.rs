//! Months, terms, school years, and the working days of the State Council.
//!
//! Which months of a term are paid is policy, not calendar: it lives with the aid service's policies.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{LazyLock, PoisonError, RwLock},
};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// A month, as `YYYYMM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Month {
    year: i32,
    month: u32,
}

/// Why a month was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("月份应写作YYYYMM，如202609")]
pub struct MonthError;

impl Month {
    /// A month of the years 1900 to 2199.
    pub fn new(year: i32, month: u32) -> Result<Self, MonthError> {
        if (1900..2200).contains(&year) && (1..=12).contains(&month) { Ok(Self { year, month }) } else { Err(MonthError) }
    }

    /// The month of a day.
    pub fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// `YYYYMM`.
    pub fn number(self) -> i32 {
        self.year * 100 + i32::try_from(self.month).unwrap_or(0)
    }

    /// 1 to 12.
    pub fn month(self) -> u32 {
        self.month
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// First day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// First day of the next month.
    pub fn end(self) -> NaiveDate {
        self.next().first_day()
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { year: self.year, month: self.month + 1 } }
    }
}

impl TryFrom<i32> for Month {
    type Error = MonthError;

    fn try_from(number: i32) -> Result<Self, MonthError> {
        Self::new(number / 100, u32::try_from(number % 100).map_err(|_| MonthError)?)
    }
}

impl From<Month> for i32 {
    fn from(month: Month) -> Self {
        month.number()
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MonthError);
        }
        text.parse::<i32>().map_err(|_| MonthError)?.try_into()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// Autumn or spring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Season {
    /// 春季学期: March to July.
    Spring,
    /// 秋季学期: September to January.
    Autumn,
}

/// A school term, such as `2016-AUTUMN`; the year is the one in which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Term {
    year: i32,
    season: Season,
}

/// Why a term was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("学期应写作YYYY-AUTUMN或YYYY-SPRING，如2016-AUTUMN")]
pub struct TermError;

impl Term {
    /// A term.
    pub fn new(year: i32, season: Season) -> Self {
        Self { year, season }
    }

    /// The year in which it begins.
    pub fn year(self) -> i32 {
        self.year
    }

    /// Autumn or spring.
    pub fn season(self) -> Season {
        self.season
    }

    /// The term to which a day belongs: August to January is autumn, February to July spring.
    pub fn of(day: NaiveDate) -> Self {
        match day.month() {
            1 => Self::new(day.year() - 1, Season::Autumn),
            2..=7 => Self::new(day.year(), Season::Spring),
            _ => Self::new(day.year(), Season::Autumn),
        }
    }

    /// How many terms after the beginning of time it is.
    fn index(self) -> i32 {
        self.year * 2 + i32::from(self.season == Season::Autumn)
    }

    /// The grade, from 1, of one who entered in `entry`; below 1 before the entry.
    pub fn grade_of_entry(self, entry: Self) -> i32 {
        let terms = self.index() - entry.index();
        terms.div_euclid(2) + 1
    }

    /// From which day until before which whoever is in one of these grades in this term, from the first to the last, must have entered.
    pub fn entries_of(self, [first, last]: [i32; 2]) -> [NaiveDate; 2] {
        let back = |grades: i32| (0..grades.max(0) * 2).fold(self, |term, _| term.before());
        // Of the highest grade, the one who entered in the earlier of two terms.
        [back(last).next().first_day(), back(first - 1).end()]
    }

    /// First calendar day: 1 August or 1 February.
    pub fn first_day(self) -> NaiveDate {
        let month = if self.season == Season::Autumn { 8 } else { 2 };
        NaiveDate::from_ymd_opt(self.year, month, 1).unwrap_or_default()
    }

    /// First calendar day after it.
    pub fn end(self) -> NaiveDate {
        self.next().first_day()
    }

    /// The term after.
    #[must_use]
    pub fn next(self) -> Self {
        match self.season {
            Season::Spring => Self::new(self.year, Season::Autumn),
            Season::Autumn => Self::new(self.year + 1, Season::Spring),
        }
    }

    /// The term before.
    #[must_use]
    pub fn before(self) -> Self {
        match self.season {
            Season::Autumn => Self::new(self.year, Season::Spring),
            Season::Spring => Self::new(self.year - 1, Season::Autumn),
        }
    }

    /// In Chinese, such as 2016年秋季学期.
    pub fn name(self) -> String {
        let season = if self.season == Season::Autumn { "秋季" } else { "春季" };
        format!("{}年{season}学期", self.year)
    }
}

/// The last day of the school year (31 July) to which a day belongs.
pub fn school_year_end(day: NaiveDate) -> NaiveDate {
    let year = if day.month() >= 8 { day.year() + 1 } else { day.year() };
    NaiveDate::from_ymd_opt(year, 7, 31).unwrap_or(day)
}

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        let (year, season) = text.split_once('-').ok_or(TermError)?;
        let season = match season {
            "AUTUMN" => Season::Autumn,
            "SPRING" => Season::Spring,
            _ => return Err(TermError),
        };
        let year: i32 = year.parse().map_err(|_| TermError)?;
        if (1990..2200).contains(&year) { Ok(Self { year, season }) } else { Err(TermError) }
    }
}

impl TryFrom<String> for Term {
    type Error = TermError;

    fn try_from(text: String) -> Result<Self, TermError> {
        text.parse()
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        term.to_string()
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let season = if self.season == Season::Autumn { "AUTUMN" } else { "SPRING" };
        write!(f, "{}-{season}", self.year)
    }
}

/// Days off on weekdays and working weekends, by the State Council's yearly notices: those that come with the program
/// (`data/working_days.csv`), and what [`load`] adds.
static EXCEPTIONS: LazyLock<RwLock<BTreeMap<NaiveDate, bool>>> = LazyLock::new(|| {
    let known = read(include_str!("../data/working_days.csv")).expect("a test reads the calendar that comes with the program");
    RwLock::new(known)
});

/// Why a calendar was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no day of a calendar, such as 2027-01-01,off or 2027-02-06,work: {text}")]
pub struct CalendarError {
    /// Which line, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

/// Days off on weekdays that a year has at least, in whatever notice: fewer are a part of its calendar.
const DAYS_OFF: usize = 7;

/// Days of a calendar: a heading, if there is one, then `YYYY-MM-DD,off` or `YYYY-MM-DD,work` a line, and what else stands behind.
fn read(text: &str) -> Result<BTreeMap<NaiveDate, bool>, CalendarError> {
    let mut days = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let heading = usize::from(text.lines().next().is_some_and(|line| line.trim_start().starts_with("date")));
    for (at, line) in text.lines().enumerate().skip(heading).filter(|(_, line)| !line.trim().is_empty()) {
        let mut fields = line.split(',').map(str::trim);
        let day = fields.next().and_then(|day| day.parse().ok());
        let works = match fields.next() {
            Some("work") => Some(true),
            Some("off") => Some(false),
            _ => None,
        };
        let (Some(day), Some(works)) = (day, works) else { return Err(CalendarError { line: at + 1, text: line.to_owned() }) };
        days.insert(day, works);
    }
    Ok(days)
}

/// Adds an operator's calendar to what is known, all of it or nothing; a day that is known already is as it says. A process does it
/// before its services start: what is due follows from it. Returns how many days it names.
pub fn load(text: &str) -> Result<usize, CalendarError> {
    let days = read(text)?;
    let count = days.len();
    EXCEPTIONS.write().unwrap_or_else(PoisonError::into_inner).extend(days);
    Ok(count)
}

fn exception(day: NaiveDate) -> Option<bool> {
    EXCEPTIONS.read().unwrap_or_else(PoisonError::into_inner).get(&day).copied()
}

/// Whether people work on a day.
pub fn is_working_day(day: NaiveDate) -> bool {
    exception(day).unwrap_or(!matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
}

/// What is known of working days, in short: what was judged by another calendar is judged anew.
pub fn fingerprint() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (day, works) in EXCEPTIONS.read().unwrap_or_else(PoisonError::into_inner).iter() {
        hasher.update(&day.num_days_from_ce().to_be_bytes()).update(&[u8::from(*works)]);
    }
    *hasher.finalize().as_bytes()
}

/// Whether the calendar of a year is known, not only some of its days; without it, weekends are the only days off.
pub fn has_calendar(year: i32) -> bool {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    let next = NaiveDate::from_ymd_opt(year + 1, 1, 1).unwrap_or_default();
    EXCEPTIONS.read().unwrap_or_else(PoisonError::into_inner).range(first..next).filter(|(_, works)| !**works).count() >= DAYS_OFF
}

/// The first year between two days whose calendar is not known: days counted there go by weekends alone.
pub fn unknown_year(from: NaiveDate, to: NaiveDate) -> Option<i32> {
    (from.year()..=to.year()).find(|year| !has_calendar(*year))
}

/// The day on which the `count`-th working day after `day` falls.
pub fn add_working_days(day: NaiveDate, count: u32) -> NaiveDate {
    let mut current = day;
    let mut left = count;
    while left > 0 {
        current = current + Days::new(1);
        if is_working_day(current) {
            left -= 1;
        }
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_term_is_read_from_a_day() {
        for (date, term) in [("2016-08-01", "2016-AUTUMN"), ("2017-01-31", "2016-AUTUMN"), ("2017-02-01", "2017-SPRING"), ("2017-07-31", "2017-SPRING")] {
            assert_eq!(Term::of(day(date)).to_string(), term);
        }
    }

    #[test]
    fn a_grade_rises_after_two_terms() {
        let term = |text: &str| text.parse::<Term>().expect("a term");
        for (now, entry, grade) in [
            ("2016-AUTUMN", "2016-AUTUMN", 1),
            ("2017-SPRING", "2016-AUTUMN", 1),
            ("2017-AUTUMN", "2016-AUTUMN", 2),
            ("2017-AUTUMN", "2017-SPRING", 1),
            ("2018-SPRING", "2017-SPRING", 2),
            ("2016-SPRING", "2016-AUTUMN", 0),
        ] {
            assert_eq!(term(now).grade_of_entry(term(entry)), grade, "{now} {entry}");
        }
        let now = term("2017-SPRING");
        for grades in [[1, 1], [1, 3], [2, 2], [2, 4]] {
            let [from, before] = now.entries_of(grades);
            let mut entry = term("2010-AUTUMN");
            while entry < term("2019-AUTUMN") {
                let is_of = (grades[0]..=grades[1]).contains(&now.grade_of_entry(entry));
                assert_eq!((from..before).contains(&entry.first_day()), is_of, "{grades:?} {entry}");
                entry = entry.next();
            }
        }
    }

    #[test]
    fn working_days_follow_the_state_council() {
        assert!(!is_working_day(day("2026-10-01")));
        assert!(is_working_day(day("2026-10-10")), "a Saturday on which people work");
        assert_eq!(add_working_days(day("2026-09-30"), 1), day("2026-10-08"));
        assert!(has_calendar(2026) && !has_calendar(2027));
    }

    #[test]
    fn an_operators_calendar_is_added_whole_or_not_at_all() {
        let heading = "date,kind,holiday\n";
        for (text, line) in [("2091-01-01,off\n2091-13-01,off", 3), ("2091-01-01,free", 2), ("2091-01-01", 2), ("2091-01-01,work\n\nx", 4)] {
            assert_eq!(load(&format!("{heading}{text}")).map_err(|error| error.line), Err(line), "{text}");
            assert!(!has_calendar(2091), "{text}");
        }
        assert_eq!(unknown_year(day("2091-12-01"), day("2092-02-01")), Some(2091));
        let before = fingerprint();
        let holidays = |year: i32| (1..=7).map(move |day| format!("{year}-10-{day:02},off,国庆节")).collect::<Vec<_>>().join("\n");
        assert_eq!(load(&format!("{heading}2091-12-31,off,元旦\n2092-01-05, work\n")), Ok(2));
        assert_ne!(fingerprint(), before);
        assert_eq!(unknown_year(day("2091-12-01"), day("2092-02-01")), Some(2091), "some days are no calendar");
        assert_eq!(load(&format!("{}\n{}", holidays(2091), holidays(2092))), Ok(14), "a heading is no must");
        assert_eq!(unknown_year(day("2091-12-01"), day("2092-02-01")), None);
        assert!(is_working_day(day("2092-01-05")) && !is_working_day(day("2092-01-06")), "a Saturday on which people work, and the Sunday after");
        assert_eq!(unknown_year(day("2026-12-31"), day("2027-01-01")), Some(2027));
    }

    #[test]
    fn months_are_numbers() {
        assert_eq!(Month::try_from(201_612).expect("a month").next().number(), 201_701);
        assert!(Month::try_from(201_613).is_err());
        assert!("20161".parse::<Month>().is_err());
    }
}
