//! How a region stands: its schools by step, flags by age, held money by month, students and aid by grade. Counted from all rooms below,
//! never from a list that ends somewhere; no names.

pub mod api;
pub(crate) mod numbers;
mod sheet;
mod store;

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};
use xuezhu_domain::{Term, calendar::add_working_days, region};
use xuezhu_judge::{case::Rule, entry, policy::SchemeCode, rules::law};
use xuezhu_proto::aid as pb;
use xuezhu_review::way::Seat;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place};
use xuezhu_store::Tx;

use crate::{Parts, asked};
use store::SchoolRow;

/// Days that part flags by age.
const AGES: [i64; 3] = [10, 30, 90];
/// Microseconds of a day.
const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// What is asked, once it is known to be lawful.
#[derive(Debug, Clone)]
pub struct Asked {
    region: String,
    term: Term,
}

/// Reads what is asked for: the caller's own region, or one below it.
pub fn asked(ctx: &Context, request: &pb::GetOverviewRequest) -> Result<Asked, Error> {
    let mut errors = FieldErrors::default();
    let (region, term) = (asked::region(ctx, &request.region, &mut errors), asked::term(ctx, &request.term, &mut errors));
    errors.check()?;
    let (Some(region), Some(term)) = (region, term) else { return Err(Error::Internal("a field is missing and not told".into())) };
    ctx.may(Permission::TakeOutCounts, &Place::Region(&region))?;
    Ok(Asked { region, term })
}

/// How a region stands.
pub async fn of(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<pb::GetOverviewResponse, Error> {
    let (prefix, today) = (region::prefix_or_all(&asked.region), ctx.today());
    let schools = store::schools(tx, prefix).await?;
    let places = Places::of(&schools, prefix);
    let policies = parts.policies.now();
    let mut counted = Counted { places, today, due: policies.of_term(asked.term, today).policy.days(asked.term, &asked.region).map(|days| days.due) };
    let term = asked.term.to_string();
    let mut grades: BTreeMap<i32, pb::GradeCount> = BTreeMap::new();
    for (school, entry_date, count) in store::students(tx, prefix, today).await? {
        grades.entry(entry_date.year()).or_default().students += small(count);
        if let Some(place) = counted.places.at(&school) {
            place.students += small(count);
        }
    }
    for (entry_date, code, count) in store::approved(tx, prefix, &term, today).await? {
        let grade = grades.entry(entry_date.year()).or_default();
        // Local schemes have no column.
        match SchemeCode::parse(&code) {
            Some(SchemeCode::GRANT) => grade.grant += small(count),
            Some(SchemeCode::TUITION_WAIVER) => grade.waiver += small(count),
            _ => {}
        }
    }
    counted.entries(store::entries(tx, prefix, &term).await?, &schools);
    for (school, fen) in store::standing(tx, prefix, &term).await? {
        if let Some(place) = counted.places.at(&school) {
            place.approved_fen += fen;
        }
    }
    counted.waiting(store::waiting(tx, prefix).await?);
    let flags = counted.flags(store::flags(tx, prefix, AGES.map(|days| ctx.now_us() - days * DAY_US)).await?);
    let held = counted.held(store::held(tx, prefix).await?);
    Ok(pb::GetOverviewResponse {
        region_name: region::full_name(&asked.region),
        region: asked.region.clone(),
        term,
        as_of_time: String::new(),
        civil_date: today.to_string(),
        places: counted.places.rows,
        flags,
        held,
        grades: grades.into_iter().rev().map(|(entry_year, grade)| pb::GradeCount { entry_year, ..grade }).collect(),
    })
}

impl SchoolRow {
    /// Whether anybody works there: a school that was closed is no school any more, and what it left is still counted.
    fn is_open(&self) -> bool {
        self.state != "CLOSED"
    }
}

/// What lies in a region, and in which of it a school lies.
struct Places {
    rows: Vec<pb::OverviewPlace>,
    of_school: HashMap<String, usize>,
}

impl Places {
    /// The regions below a province or the whole deployment, else schools.
    fn of(schools: &[SchoolRow], prefix: &str) -> Self {
        let (mut rows, mut at, mut of_school) = (Vec::new(), BTreeMap::new(), HashMap::new());
        for school in schools {
            let below = match prefix.len() {
                0 => Some(format!("{}0000", school.authority.get(..2).unwrap_or_default())),
                2 if school.authority.ends_with("0000") => Some(school.authority.clone()),
                2 => Some(format!("{}00", school.authority.get(..4).unwrap_or_default())),
                _ => None,
            };
            let (code, name, is_school) = match below {
                Some(code) => (code.clone(), region::full_name(&code), false),
                None => (school.school.clone(), school.name.clone(), true),
            };
            let place = *at.entry(code.clone()).or_insert_with(|| {
                rows.push(pb::OverviewPlace { code, name, is_school, ..pb::OverviewPlace::default() });
                rows.len() - 1
            });
            rows[place].schools += i32::from(school.is_open());
            of_school.insert(school.school.clone(), place);
        }
        Self { rows, of_school }
    }

    fn at(&mut self, school: &str) -> Option<&mut pb::OverviewPlace> {
        self.rows.get_mut(*self.of_school.get(school)?)
    }
}

/// A region while it is counted.
struct Counted {
    places: Places,
    today: NaiveDate,
    /// Day by which lists of the term are due.
    due: Option<NaiveDate>,
}

impl Counted {
    /// Entries of the term. What lies with a clerk is late from the day on which the list is due.
    fn entries(&mut self, rows: Vec<(String, i32, i64)>, schools: &[SchoolRow]) {
        let late = self.due.map_or(0, |due| days_between(due, self.today));
        let mut with_list = std::collections::HashSet::new();
        for (school, state, count) in rows {
            with_list.insert(school.clone());
            let Some(place) = self.places.at(&school) else { continue };
            match entry::State::from_code(state) {
                Some(entry::State::Draft | entry::State::SentBack) => add(&mut place.clerk, count, late),
                Some(entry::State::Approved) => place.approved += small(count),
                Some(entry::State::Submitted | entry::State::Attested | entry::State::Removed) | None => {}
            }
        }
        for school in schools.iter().filter(|school| school.is_open() && !with_list.contains(&school.school)) {
            if let Some(place) = self.places.at(&school.school) {
                place.without_list += 1;
            }
        }
    }

    /// What waits at desks, of all terms.
    fn waiting(&mut self, rows: Vec<(String, String, String, NaiveDate, i32, i64)>) {
        for (school, authority, waits_at, since, working_days, count) in rows {
            let late = days_between(add_working_days(since, u32::try_from(working_days).unwrap_or(0)), self.today);
            let Some(place) = self.places.at(&school) else { continue };
            match waits_at.parse() {
                Ok(Seat::Review(_) | Seat::Principal(_)) => add(&mut place.principal, count, late),
                Ok(Seat::Department(region) | Seat::Head(region)) if region == authority => add(&mut place.department, count, late),
                Ok(Seat::Department(_) | Seat::Head(_)) => add(&mut place.above, count, late),
                Ok(Seat::Clerk(_)) | Err(_) => {}
            }
        }
    }

    fn flags(&mut self, rows: Vec<(String, i32, i32, i32, i64, i64)>) -> Vec<pb::FlagAges> {
        let mut by_rule: BTreeMap<i32, pb::FlagAges> = BTreeMap::new();
        for (school, rule, _, age, count, fen) in rows {
            let (Some(rule_of), count) = (Rule::from_code(rule), small(count)) else { continue };
            let ages = by_rule.entry(rule).or_insert_with(|| pb::FlagAges {
                rule: rule_of.as_str().to_owned(),
                rule_name: law(rule_of).name.to_owned(),
                ..pb::FlagAges::default()
            });
            match age {
                0 => ages.within_10 += count,
                1 => ages.within_30 += count,
                2 => ages.within_90 += count,
                _ => ages.older += count,
            }
            ages.amount_fen += fen;
            if let Some(place) = self.places.at(&school) {
                place.flags += count;
            }
        }
        let mut flags: Vec<pb::FlagAges> = by_rule.into_values().collect();
        flags.sort_by_key(|ages| std::cmp::Reverse(ages.within_10 + ages.within_30 + ages.within_90 + ages.older));
        flags
    }

    fn held(&mut self, rows: Vec<(String, i32, i64)>) -> Vec<pb::HeldMonth> {
        let mut by_month: BTreeMap<i32, i64> = BTreeMap::new();
        for (school, month, fen) in rows {
            *by_month.entry(month).or_default() += fen;
            if let Some(place) = self.places.at(&school) {
                place.held_fen += fen;
            }
        }
        by_month.into_iter().map(|(month, fen)| pb::HeldMonth { month, fen }).collect()
    }
}

fn add(step: &mut Option<pb::OverviewStep>, count: i64, late: i32) {
    let step = step.get_or_insert_default();
    step.waiting += small(count);
    step.days_overdue = step.days_overdue.max(late);
}

/// Days from a day on, where another lies behind it.
fn days_between(due: NaiveDate, today: NaiveDate) -> i32 {
    i32::try_from((today - due).num_days().max(0)).unwrap_or(i32::MAX)
}

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
