//! What a policy changes for whom. Pure.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use xuezhu_domain::{Fen, Month, Term};
use xuezhu_judge::policy::{
    Policies, Policy, SchemeCode, School,
    rules::{Facts, Why, grounds, plain_data},
};

/// How it turns out for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// Was due nothing, and will be.
    Gains,
    /// Was due something, and will be nothing.
    Loses,
    /// Will be due more.
    More,
    /// Will be due less.
    Less,
    /// Will be due as much, for other months.
    Otherwise,
}

/// What somebody is due of a scheme in a term, by one policy: months, and what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Months; none where nothing is due.
    pub months: Vec<Month>,
    /// What they come to.
    pub fen: Fen,
}

impl Turn {
    /// From one policy to the next; `None` where both are alike.
    pub fn of(before: &Due, after: &Due) -> Option<Self> {
        match (before.months.is_empty(), after.months.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Self::Gains),
            (false, true) => Some(Self::Loses),
            (false, false) if before == after => None,
            (false, false) => Some(match before.fen.cmp(&after.fen) {
                std::cmp::Ordering::Less => Self::More,
                std::cmp::Ordering::Greater => Self::Less,
                std::cmp::Ordering::Equal => Self::Otherwise,
            }),
        }
    }
}

/// How many turn out how, and what they were and will be due, in fen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Who gains.
    pub gains: i64,
    /// Who loses.
    pub loses: i64,
    /// Who will be due more.
    pub more: i64,
    /// Who will be due less.
    pub less: i64,
    /// Who will be due as much for other months.
    pub otherwise: i64,
    /// What all of these were due.
    pub before_fen: i64,
    /// What they will be due.
    pub after_fen: i64,
}

impl Tally {
    /// Counts one.
    pub fn count(&mut self, turn: Turn, before: Fen, after: Fen) {
        *match turn {
            Turn::Gains => &mut self.gains,
            Turn::Loses => &mut self.loses,
            Turn::More => &mut self.more,
            Turn::Less => &mut self.less,
            Turn::Otherwise => &mut self.otherwise,
        } += 1;
        self.before_fen += before.0;
        self.after_fen += after.0;
    }

    /// With others.
    pub fn add(&mut self, other: &Self) {
        let Self { gains, loses, more, less, otherwise, before_fen, after_fen } = other;
        self.gains += gains;
        self.loses += loses;
        self.more += more;
        self.less += less;
        self.otherwise += otherwise;
        self.before_fen += before_fen;
        self.after_fen += after_fen;
    }
}

/// Two policies that are compared for a term: that which holds without the new one, and the new one.
#[derive(Debug, Clone, Copy)]
pub struct Two<'p> {
    /// Without it.
    pub before: &'p Policy,
    /// With it.
    pub after: &'p Policy,
    /// For which term.
    pub term: Term,
}

impl<'p> Two<'p> {
    /// The new one beside what holds on its day, for the term of that day and for the next: lists of both can be opened then, and rates are dated
    /// by term.
    pub fn of(policies: &'p Policies, after: &'p Policy, from: chrono::NaiveDate) -> [Self; 2] {
        let (before, term) = (&*policies.on(from).policy, Term::of(from));
        [term, term.next()].map(|term| Self { before, after, term })
    }

    /// The schemes of both.
    pub fn schemes(&self) -> Vec<SchemeCode> {
        let mut codes: Vec<SchemeCode> = self.before.schemes().iter().chain(self.after.schemes()).map(|scheme| scheme.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Days between which lie all months that either pays in the term, in a region.
    pub fn window(&self, region: &str) -> Option<[chrono::NaiveDate; 2]> {
        let days = [self.before, self.after].into_iter().filter_map(|policy| policy.days(self.term, region));
        let months: Vec<Month> = days.flat_map(|days| days.months).collect();
        Some([months.iter().min()?.first_day(), months.iter().max()?.end()])
    }

    /// Whether whoever has these facts at a school, with a hardship level or without, may turn out otherwise: all others agree by construction,
    /// whatever their months.
    pub fn may_differ(&self, school: School<'_>, facts: Facts) -> bool {
        let region = school.region;
        let days = |policy: &Policy| policy.days(self.term, region).map(|days| (days.months, days.count_day, days.stop));
        let same_days = days(self.before) == days(self.after);
        let due = |policy: &Policy, scheme: SchemeCode, hardship: &str| {
            let rate = policy.scheme(scheme)?.rate_in(self.term, region).filter(|_| policy.admits(scheme, self.term, school))?;
            let facts = Facts { hardship, ..facts };
            let tier = || rate.proposed(&grounds(rate, facts), hardship).map(|tier| (rate.month_fen(tier), rate.only_entitled));
            if plain_data(Some(rate), self.term, facts).entitles() { tier() } else { None }
        };
        // A level that neither names is as good as any other.
        let levels = [self.before, self.after].into_iter().filter_map(|policy| policy.hardship()).flat_map(|hardship| &hardship.levels).map(String::as_str);
        ["", "any"].into_iter().chain(levels).flat_map(|hardship| self.schemes().into_iter().map(move |scheme| (scheme, hardship))).any(|(scheme, hardship)| {
            let (before, after) = (due(self.before, scheme, hardship), due(self.after, scheme, hardship));
            before != after || (!same_days && before.is_some())
        })
    }
}

/// Whether what is proposed for somebody is due.
pub fn due(why: Why, months: &[Month], fen: Fen) -> Due {
    if why.entitles() && !months.is_empty() { Due { months: months.to_vec(), fen } } else { Due::default() }
}

/// A tally of a term and a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Term.
    pub term: String,
    /// Scheme.
    pub scheme: String,
    /// How many turn out how.
    pub tally: Tally,
}

/// What was found of a whole deployment: by term and scheme, and by school.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Schools that were looked at.
    pub schools: i64,
    /// Of all of them.
    pub totals: Vec<Row>,
    /// Schools at which somebody turns out otherwise, by code.
    pub by_school: Vec<(String, Vec<Row>)>,
}

/// Tallies by term and scheme.
pub type Tallies = HashMap<(Term, SchemeCode), Tally>;

impl Effect {
    /// Of what was found school by school.
    pub fn of(found: Vec<(String, Tallies)>) -> Self {
        let schools = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let mut all = Tallies::new();
        let mut by_school = Vec::new();
        for (school, tallies) in found.into_iter().filter(|(_, tallies)| !tallies.is_empty()) {
            for (of, tally) in &tallies {
                all.entry(*of).or_default().add(tally);
            }
            by_school.push((school, in_order(tallies)));
        }
        by_school.sort_by(|a, b| a.0.cmp(&b.0));
        Self { schools, totals: in_order(all), by_school }
    }
}

fn in_order(tallies: Tallies) -> Vec<Row> {
    let mut rows: Vec<((Term, SchemeCode), Tally)> = tallies.into_iter().collect();
    rows.sort_by_key(|(of, _)| *of);
    rows.into_iter().map(|((term, scheme), tally)| Row { term: term.to_string(), scheme: scheme.as_str().to_owned(), tally }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_out_how() {
        let month = |number: i32| Month::try_from(number).expect("a month");
        let due = |months: &[i32], fen: i64| Due { months: months.iter().map(|number| month(*number)).collect(), fen: Fen(fen) };
        for (before, after, turn) in [
            (due(&[], 0), due(&[], 0), None),
            (due(&[], 0), due(&[202_609], 100), Some(Turn::Gains)),
            (due(&[202_609], 100), due(&[], 0), Some(Turn::Loses)),
            (due(&[202_609], 100), due(&[202_609], 100), None),
            (due(&[202_609], 100), due(&[202_609], 101), Some(Turn::More)),
            (due(&[202_609], 100), due(&[202_609], 99), Some(Turn::Less)),
            (due(&[202_609], 100), due(&[202_610], 100), Some(Turn::Otherwise)),
        ] {
            assert_eq!(Turn::of(&before, &after), turn, "{before:?} {after:?}");
        }
    }
}
