//! Who is surely entitled, as a set-based search can tell: by versions of the policy, schemes and terms. Whoever is not is looked at by the
//! judge. What is said here of sets says no more than [`xuezhu_judge::policy::rules::plain_data`] says of one: a test holds both against an
//! independent reference.

use chrono::NaiveDate;
use serde::Serialize;
use xuezhu_domain::{Month, Term, codes, majors::Major};
use xuezhu_judge::policy::{
    Exclusion, Ground, Policies, Rate, SchemeCode, Stop,
    rules::{AGRICULTURAL_HOUSEHOLD, COUNTY_TOWNS_TOO, Countryside, FULL_TIME, VILLAGES},
    scheme::Paper,
};
use xuezhu_store::{Texts, bulk_texts};

/// What a rate asks of whoever is on a list that goes by it.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "columns of a table of what is asked")]
pub(super) struct Asks {
    pub policy: i32,
    pub scheme: String,
    pub term: String,
    pub region: String,
    /// Empty for any.
    pub study_form: &'static str,
    pub entered_from: NaiveDate,
    pub entered_before: NaiveDate,
    pub excludes: bool,
    pub agricultural: bool,
    pub rural: bool,
    /// First digits of special areas, each between commas; empty where there are none.
    pub areas: String,
    /// Majors that entitle, each between commas; empty where there are none.
    pub majors: String,
    pub hardship: bool,
    pub everybody: bool,
}

impl Asks {
    fn of(policy: i32, scheme: SchemeCode, term: Term, rate: &Rate) -> Self {
        let has = |ground: Ground| rate.entitles.contains(&ground);
        let [entered_from, entered_before] = term.entries_of(rate.grades);
        Self {
            policy,
            scheme: scheme.as_str().to_owned(),
            term: term.to_string(),
            region: rate.region.clone(),
            study_form: if rate.full_time { FULL_TIME } else { "" },
            entered_from,
            entered_before,
            excludes: rate.excludes.contains(&Exclusion::PerformingArts),
            agricultural: has(Ground::AgriculturalMajor),
            rural: has(Ground::Rural),
            areas: if has(Ground::SpecialArea) { format!(",{},", rate.area_codes.join(",")) } else { String::new() },
            majors: if has(Ground::ListedMajor) { format!(",{},", rate.major_keys.join(",")) } else { String::new() },
            hardship: has(Ground::Hardship),
            everybody: has(Ground::Everybody),
        }
    }
}

/// What is asked of lists of these versions, schemes and terms, as far as only the entitled may draw them.
pub(super) fn asked(policies: &Policies, lists: &[(i32, String, String)]) -> Vec<Asks> {
    let mut asked = Vec::new();
    for (version, scheme, term) in lists {
        let (Some(code), Ok(term)) = (SchemeCode::parse(scheme), term.parse::<Term>()) else { continue };
        let rates = policies.version(*version).scheme(code).map_or(&[][..], |scheme| &scheme.rate);
        asked.extend(rates.iter().filter(|rate| rate.only_entitled && rate.covers(term)).map(|rate| Asks::of(*version, code, term, rate)));
    }
    asked
}

/// What anybody may draw of a scheme a month, by the policy of a list: whoever is on one with more is looked at.
#[derive(Debug, Serialize)]
pub(super) struct Sure {
    pub policy: i32,
    pub scheme: String,
    pub term: String,
    pub fen: i64,
}

/// The same of lists of these versions, schemes and terms: of several regions the least.
pub(super) fn sure(policies: &Policies, lists: &[(i32, String, String)]) -> Vec<Sure> {
    let of = |(version, scheme, term): &(i32, String, String)| {
        let (code, of_term) = (SchemeCode::parse(scheme)?, term.parse::<Term>().ok()?);
        let rates = policies.version(*version).scheme(code).map_or(&[][..], |scheme| &scheme.rate);
        // To whose rate lists are not held, nobody is above it.
        let held_to = rates.iter().filter(|rate| rate.covers(of_term) && rate.is_held_to());
        let fen = held_to.map(|rate| rate.sure_fen().0).min()?;
        Some(Sure { policy: *version, scheme: scheme.clone(), term: term.clone(), fen })
    };
    lists.iter().filter_map(of).collect()
}

/// A version, scheme and term whose lists must have an application with whoever is on them.
#[derive(Debug, Serialize)]
pub(super) struct Asking {
    pub policy: i32,
    pub scheme: String,
    pub term: String,
}

/// Those of lists of these versions, schemes and terms.
pub(super) fn asking(policies: &Policies, lists: &[(i32, String, String)]) -> Vec<Asking> {
    let of = |(version, scheme, term): &(i32, String, String)| {
        let asks = &policies.version(*version).scheme(SchemeCode::parse(scheme)?)?.asks;
        asks.contains(&Paper::Application).then(|| Asking { policy: *version, scheme: scheme.clone(), term: term.clone() })
    };
    lists.iter().filter_map(of).collect()
}

/// Private schools that may be given a scheme in a term, by the policy of a list.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub policy: i32,
    pub scheme: String,
    pub term: String,
    pub region: String,
    /// Codes, each between commas.
    pub schools: String,
}

/// Those of lists of these versions, schemes and terms: a row for each region that a list of schools is for, also where one for a smaller region
/// goes before it.
pub(super) fn listed(policies: &Policies, lists: &[(i32, String, String)]) -> Vec<Listed> {
    let mut listed = Vec::new();
    for (version, scheme, term) in lists {
        let (Some(code), Ok(of_term)) = (SchemeCode::parse(scheme), term.parse::<Term>()) else { continue };
        for row in policies.version(*version).private_schools().iter().filter(|row| row.covers(code, of_term)) {
            let of = |region: &str| Listed {
                policy: *version,
                scheme: scheme.clone(),
                term: term.clone(),
                region: region.to_owned(),
                schools: format!(",{},", row.schools.join(",")),
            };
            if row.regions.is_empty() {
                listed.push(of(""));
            }
            listed.extend(row.regions.iter().map(|region| of(region)));
        }
    }
    listed
}

/// A month with which aid stops in the middle of which somebody leaves, by the policy of a list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Stops {
    pub policy: i32,
    pub term: String,
    pub region: String,
    pub first: NaiveDate,
    pub before: NaiveDate,
}

/// The months of such terms.
pub(super) fn stops(policies: &Policies, lists: &[(i32, String, String)]) -> Vec<Stops> {
    let mut stops = Vec::new();
    for (version, _, term) in lists {
        let Ok(of_term) = term.parse::<Term>() else { continue };
        let policy = policies.version(*version);
        for row in policy.seasons().iter().filter(|row| row.season == of_term.season() && row.stop == Stop::SameMonth) {
            let months = policy.days(of_term, &row.region).map(|days| days.months).unwrap_or_default();
            let of = |month: Month| {
                let (first, before) = (month.first_day(), month.end());
                Stops { policy: *version, term: term.clone(), region: row.region.clone(), first, before }
            };
            stops.extend(months.into_iter().map(of));
        }
    }
    stops.sort_unstable();
    stops.dedup();
    stops
}

/// What the words of places mean.
pub(super) struct Words {
    pub agricultural: Texts,
    pub not_performing: Texts,
    pub towns: Texts,
    pub villages: Texts,
    pub town_residences: Texts,
    pub village_residences: Texts,
    pub household: &'static str,
}

impl Words {
    pub fn now() -> Self {
        let majors = |which: fn(&Major) -> bool| bulk_texts(codes::majors().iter().filter(|major| which(major)).map(Major::key));
        let settled = |countryside: &Countryside| bulk_texts(codes::urban_rural_codes(countryside.settlements));
        Self {
            agricultural: majors(|major| major.agricultural),
            not_performing: majors(|major| !major.performing_arts),
            towns: settled(&COUNTY_TOWNS_TOO),
            villages: settled(&VILLAGES),
            town_residences: bulk_texts(COUNTY_TOWNS_TOO.residences),
            village_residences: bulk_texts(VILLAGES.residences),
            household: AGRICULTURAL_HOUSEHOLD,
        }
    }
}
