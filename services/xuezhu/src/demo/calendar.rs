//! Two school years: their terms, and the days on which things happen.

use chrono::NaiveDate;

/// A day.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

/// A day that is known when this is compiled: a wrong one does not compile.
const fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

/// A term, as the demo reads the rules: on its own, beside the policies of the aid service.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term {
    /// Stable spelling.
    pub name: &'static str,
    /// Calendar year in which its school year begins.
    pub school_year: i32,
    /// Months that are paid, YYYYMM.
    pub months: [i32; 5],
    /// The day by whose state a waiver goes.
    pub count: NaiveDate,
    /// The day by which its lists must be submitted.
    pub due: NaiveDate,
    /// First day after it: whoever is approved from then on is asked for nothing in it.
    pub over: NaiveDate,
    /// The day on which its lists are uploaded.
    pub listed: &'static str,
}

/// Autumn of the first year.
pub static AUTUMN: Term = Term {
    name: "2016-AUTUMN",
    school_year: 2016,
    months: [201_609, 201_610, 201_611, 201_612, 201_701],
    count: date(2016, 9, 30),
    due: date(2016, 11, 30),
    over: date(2017, 2, 1),
    listed: days::LIST,
};
/// Spring of the first year.
pub static SPRING: Term = Term {
    name: "2017-SPRING",
    school_year: 2016,
    months: [201_703, 201_704, 201_705, 201_706, 201_707],
    count: date(2017, 3, 31),
    due: date(2017, 4, 30),
    over: date(2017, 8, 1),
    listed: days::SPRING,
};
/// Autumn of the second year.
pub static NEXT_AUTUMN: Term = Term {
    name: "2017-AUTUMN",
    school_year: 2017,
    months: [201_709, 201_710, 201_711, 201_712, 201_801],
    count: date(2017, 9, 30),
    due: date(2017, 11, 30),
    over: date(2018, 2, 1),
    listed: days::NEXT_LIST,
};
/// Spring of the second year.
pub static NEXT_SPRING: Term = Term {
    name: "2018-SPRING",
    school_year: 2017,
    months: [201_803, 201_804, 201_805, 201_806, 201_807],
    count: date(2018, 3, 31),
    due: date(2018, 4, 30),
    over: date(2018, 8, 1),
    listed: days::NEXT_SPRING,
};

/// Every term, in order.
pub static TERMS: [&Term; 4] = [&AUTUMN, &SPRING, &NEXT_AUTUMN, &NEXT_SPRING];

/// When things happen.
pub mod days {
    /// Students are uploaded, submitted and attested.
    pub const ENTER: &str = "2016-09-05";
    /// The autumn's lists are uploaded.
    pub const LIST: &str = "2016-09-20";
    /// The departments approve.
    pub const APPROVE: &str = "2016-10-10";
    /// Who left or took leave in October is recorded.
    pub const LEAVE: &str = "2016-10-20";
    /// Who is back is recorded.
    pub const BACK: &str = "2016-11-01";
    /// Departments correct identities and record who never came; schools record other classes.
    pub const CORRECT: &str = "2016-11-10";
    /// Who moved is recorded, and entered at the new school.
    pub const MOVE: &str = "2016-11-21";
    /// Supplementary lists are uploaded.
    pub const SUPPLEMENT: &str = "2016-11-25";
    /// The lists are overdue.
    pub const OVERDUE: &str = "2016-12-05";
    /// What was left lying is approved.
    pub const LATE: &str = "2016-12-12";
    /// What happened in November is recorded two months late.
    pub const LATE_LEAVE: &str = "2017-01-12";
    /// Ten days before the first autumn locks, whoever is on no list is sought.
    pub const SOUGHT: &str = "2017-01-25";
    /// The spring's lists are uploaded.
    pub const SPRING: &str = "2017-03-10";
    /// They were shown publicly: principals sign, departments approve.
    pub const SPRING_SIGNED: &str = "2017-03-21";
    /// Withdrawals of December are recorded, months and a list too late.
    pub const LATE_WITHDRAWAL: &str = "2017-04-06";
    /// The spring's lists are overdue.
    pub const SPRING_OVERDUE: &str = "2017-05-10";
    /// The first year ends.
    pub const YEAR_END: &str = "2017-07-15";
    /// The second begins: other classes and majors, new students.
    pub const TURN: &str = "2017-09-04";
    /// Its autumn's lists are uploaded.
    pub const NEXT_LIST: &str = "2017-09-20";
    /// The departments approve its new students.
    pub const NEXT_APPROVE: &str = "2017-10-10";
    /// Departments record who of them never came.
    pub const NEVER_CAME: &str = "2017-10-25";
    /// Who came elsewhere is entered there; what happened since September is recorded.
    pub const NEXT_MOVE: &str = "2017-11-06";
    /// Its supplementary lists are uploaded.
    pub const NEXT_SUPPLEMENT: &str = "2017-11-27";
    /// Its lists are overdue.
    pub const NEXT_OVERDUE: &str = "2017-12-05";
    /// What happened in autumn is recorded late.
    pub const LATE_RECORDS: &str = "2018-01-15";
    /// Its spring's lists are uploaded.
    pub const NEXT_SPRING: &str = "2018-03-12";
    /// Students of autumn are approved, a term too late.
    pub const TERM_LATE: &str = "2018-03-26";
    /// Its spring's lists are overdue.
    pub const NEXT_SPRING_OVERDUE: &str = "2018-05-08";
    /// The end.
    pub const END: &str = "2018-07-14";
    /// What was submitted then was shown publicly.
    pub const LEFT: &str = "2018-07-24";
}
