//! What is known of a family, and from when until when a level holds. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::{
    Season, Term, UnknownCode,
    codes::FAMILY_GROUPS,
    text::{clean, holds_long_number},
};
use xuezhu_service::FieldErrors;

/// People of a household, at most.
const MEMBERS: i32 = 50;
/// Income of a head and month in fen, at most: 100,000 yuan.
const INCOME_FEN: i64 = 10_000_000;
/// Characters of where income comes from, and of why a family is poor, at most.
const SOURCE: usize = 40;
const CAUSE: usize = 200;

/// Where a level stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// With the clerk.
    Draft,
    /// On its way over desks.
    Submitted,
    /// Determined.
    Determined,
    /// Taken off by the clerk, or refused.
    Dropped,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Submitted, Self::Determined, Self::Dropped];

    /// The last code of the states in which one is under way: an index and queries tell them by it.
    pub const LAST_UNDER_WAY: i32 = 10;
    /// The first code of the states in which one is over without effect.
    pub const FIRST_DROPPED: i32 = 50;

    /// As stored: an index and a view tell what is under way, and what is determined, by the code.
    pub const fn code(self) -> i32 {
        match self {
            Self::Draft => 1,
            Self::Submitted => 2,
            Self::Determined => 11,
            Self::Dropped => 51,
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of a hardship level", code })
    }
}

/// Whether what is entered reaches back into a term that is over by now: what was decided in it stays.
pub fn reaches_back(from: NaiveDate, today: NaiveDate) -> bool {
    from < Term::of(today).first_day()
}

/// Whether papers are asked for of a student's level in a school year, where they are of so many of a hundred. Nobody at the school can tell who is drawn
/// before it is entered, and entering it anew draws nobody else.
pub fn is_drawn(person_key: Uuid, school_year: i32, percent: u32) -> bool {
    let hash = blake3::Hasher::new().update(b"papers").update(person_key.as_bytes()).update(&school_year.to_be_bytes()).finalize();
    let drawn = hash.as_bytes().iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    drawn % 100 < u64::from(percent)
}

/// What is known of a family, as it is sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Family {
    /// Special groups that the student is of.
    pub groups: Vec<String>,
    /// How many live in the household, the student among them.
    pub members: i32,
    /// How many of them are kept by others.
    pub dependants: i32,
    /// How many of them can work.
    pub earners: i32,
    /// Income of a head and month; none where nobody said.
    pub income_fen: Option<i64>,
    /// Where most of it comes from.
    pub income_source: String,
    /// Why the family is poor.
    pub cause: String,
    /// Whether the student, or a guardian, signed for it.
    pub pledged: bool,
}

impl Family {
    /// Whether this can be said of a family on which a level rests; every fault is told by its field.
    pub fn check(&self, errors: &mut FieldErrors) {
        if let Some(other) = self.groups.iter().find(|group| !FAMILY_GROUPS.contains(&group.as_str())) {
            errors.add("groups", format!("没有“{other}”这一类特殊群体，应为：{}", FAMILY_GROUPS.join("、")));
        }
        if !(1..=MEMBERS).contains(&self.members) {
            errors.add("members", format!("应为1至{MEMBERS}人（含学生本人）"));
        }
        for (field, count) in [("dependants", self.dependants), ("earners", self.earners)] {
            if !(0..=self.members.max(0)).contains(&count) {
                errors.add(field, "不能是负数，也不能多于家庭人口");
            }
        }
        match self.income_fen {
            None => errors.add("income_fen", "请填写；没有收入的填0"),
            Some(fen) if !(0..=INCOME_FEN).contains(&fen) => errors.add("income_fen", format!("应为0至{}元", INCOME_FEN / 100)),
            Some(_) => {}
        }
        for (field, text, most) in [("income_source", &self.income_source, SOURCE), ("cause", &self.cause, CAUSE)] {
            if text.chars().count() > most {
                errors.add(field, format!("不能超过{most}个字"));
            } else if holds_long_number(text) {
                errors.add(field, "不要填写证件号、卡号或电话号码");
            }
        }
        if self.cause.is_empty() && self.groups.is_empty() {
            errors.add("cause", "请写明困难原因，或选择特殊群体");
        }
        if !self.pledged {
            errors.add("pledged", "学生或监护人签署承诺书后才能认定");
        }
    }

    /// Cleaned of blanks around texts, each group once.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        self.income_source = clean(&self.income_source);
        self.cause = clean(&self.cause);
        self.groups.sort_unstable();
        self.groups.dedup();
        self
    }
}

/// The first day of the school year that begins in a year.
pub fn begin_of(school_year: i32) -> NaiveDate {
    Term::new(school_year, Season::Autumn).first_day()
}

/// The school year of a day, by the year in which it begins.
pub fn school_year_of(day: NaiveDate) -> i32 {
    let term = Term::of(day);
    if term.season() == Season::Autumn { term.year() } else { term.year() - 1 }
}

/// From when until when a level of a school year holds, or that there is none, where it is entered today, or why it can't. Where nobody says, a level
/// holds from the first day of the term, and ends today. What holds from a term that is over would change
/// what was decided in it.
pub fn span(school_year: i32, from: Option<NaiveDate>, ends: bool, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), (&'static str, String)> {
    let this = school_year_of(today);
    if school_year != this && school_year != this + 1 {
        return Err(("school_year", format!("只能认定本学年（{this}—{}学年）或下一学年", this + 1)));
    }
    let (begin, end) = (begin_of(school_year), begin_of(school_year + 1));
    let first = begin.max(Term::of(today).first_day());
    let from = from.unwrap_or(if ends { begin.max(today) } else { first });
    if from < first || from >= end {
        return Err(("from_date", format!("应在{first}以后、{end}以前：认定不能早于本学期，也不能晚于学年末")));
    }
    Ok((from, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_level_holds_from_this_term_or_later_to_the_end_of_the_school_year() {
        let told = |year, from: &str, today: &str| {
            span(year, from.parse().ok(), false, day(today)).map(|(from, to)| (from.to_string(), to.to_string())).map_err(|(field, _)| field)
        };
        let whole = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        for (year, from, today, expected) in [
            (2026, "", "2026-10-08", whole("2026-08-01", "2027-08-01")),
            (2026, "2026-11-20", "2026-11-25", whole("2026-11-20", "2027-08-01")),
            (2026, "", "2027-03-01", whole("2027-02-01", "2027-08-01")),
            (2026, "2026-11-20", "2027-03-01", Err("from_date")),
            (2026, "2027-08-01", "2027-03-01", Err("from_date")),
            (2027, "", "2027-07-10", whole("2027-08-01", "2028-08-01")),
            (2025, "", "2026-10-08", Err("school_year")),
            (2028, "", "2026-10-08", Err("school_year")),
            (i32::MAX, "", "2026-10-08", Err("school_year")),
        ] {
            assert_eq!(told(year, from, today), expected, "{year} {from} {today}");
        }
        assert_eq!(span(2026, None, true, day("2026-11-27")), Ok((day("2026-11-27"), day("2027-08-01"))), "it ends today");
    }

    #[test]
    fn what_is_known_of_a_family_is_checked_field_by_field() {
        let sound = Family { members: 4, earners: 1, income_fen: Some(45_000), cause: "父亲患病".into(), pledged: true, ..Family::default() };
        let faults = |change: fn(&mut Family)| {
            let (mut family, mut errors) = (sound.clone(), FieldErrors::default());
            change(&mut family);
            family.tidy().check(&mut errors);
            errors.check().err().map(|error| format!("{error:?}")).unwrap_or_default()
        };
        assert_eq!(faults(|_| ()), "");
        assert_eq!(faults(|family| (family.cause, family.groups) = (String::new(), vec!["低保".into(), "低保".into()])), "");
        type Case = (fn(&mut Family), &'static str);
        let cases: [Case; 10] = [
            (|family| family.members = 0, "members"),
            (|family| family.members = 51, "members"),
            (|family| family.earners = 5, "earners"),
            (|family| family.dependants = -1, "dependants"),
            (|family| family.income_fen = Some(-1), "income_fen"),
            (|family| family.income_fen = None, "income_fen"),
            (|family| family.cause = " ".into(), "cause"),
            (|family| family.cause = "卡号6222600260001072444".into(), "cause"),
            (|family| family.groups = vec!["贫困".into()], "groups"),
            (|family| family.pledged = false, "pledged"),
        ];
        for (change, field) in cases {
            assert!(faults(change).contains(field), "{field}: {}", faults(change));
        }
    }

    #[test]
    fn as_many_are_drawn_as_are_asked_for_and_always_the_same() {
        let of = |percent: u32, year: i32| (0..2_000_u128).filter(|key| is_drawn(Uuid::from_u128(key << 64), year, percent)).collect::<Vec<_>>();
        assert_eq!((of(0, 2026).len(), of(100, 2026).len()), (0, 2_000));
        assert!((100..300).contains(&of(10, 2026).len()), "{}", of(10, 2026).len());
        assert_eq!(of(10, 2026), of(10, 2026));
        assert_ne!(of(10, 2026), of(10, 2027), "others next year");
        assert!(of(10, 2026).iter().all(|key| of(20, 2026).contains(key)), "who is drawn stays drawn where more are");
    }
}
