//! The sheet with which somebody inspects a school: what there should be, by grade, for counting on the spot.

use std::collections::BTreeMap;

use chrono::Datelike;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::{entry::State, policy::SchemeCode};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission};
use xuezhu_store::{StoreError, Tx};

use super::{small, store};
use crate::{Parts, asked, mirror};

/// The sheet of a school and a term; the present one where none is named.
pub async fn of(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, term: &str) -> Result<pb::GetInspectionSheetResponse, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    let mut errors = FieldErrors::default();
    let term = asked::term(ctx, term, &mut errors);
    errors.check()?;
    let term = term.ok_or_else(|| Error::Internal("a field is missing and not told".into()))?.to_string();
    let entries = store::on_lists(tx, &school.school, &term).await?;
    // Those of the state stand on it also where nobody is listed.
    let mut schemes: Vec<SchemeCode> = SchemeCode::OF_STATE.to_vec();
    for (_, scheme, ..) in &entries {
        let code = SchemeCode::parse(scheme).ok_or(StoreError::Corrupt("scheme"))?;
        if !schemes.contains(&code) {
            schemes.push(code);
        }
    }
    let mut years: BTreeMap<i32, pb::InspectionRow> = BTreeMap::new();
    let blank = |entry_year: i32| pb::InspectionRow { entry_year, lists: vec![pb::InspectionList::default(); schemes.len()], ..Default::default() };
    for (entered, state, count) in store::on_roll(tx, &school.school, ctx.today()).await? {
        let row = years.entry(entered.year()).or_insert_with_key(|year| blank(*year));
        *(if state == PeriodState::InSchool.code() { &mut row.students } else { &mut row.on_leave }) += small(count);
    }
    for (entered, scheme, state, held, count) in entries {
        let year = entered.map_or(0, |day| day.year());
        let at = schemes.iter().position(|known| known.as_str() == scheme).ok_or(StoreError::Corrupt("scheme"))?;
        let list = &mut years.entry(year).or_insert_with_key(|year| blank(*year)).lists[at];
        list.listed += small(count);
        list.approved += if state == State::Approved.code() { small(count) } else { 0 };
        list.held += if held { small(count) } else { 0 };
    }
    let policies = parts.policies.now();
    Ok(pb::GetInspectionSheetResponse {
        school: school.school,
        school_name: school.name,
        term,
        as_of_time: String::new(),
        civil_date: ctx.today().to_string(),
        rows: years.into_values().rev().collect(),
        scheme_names: schemes.into_iter().map(|code| policies.scheme_name(code).to_owned()).collect(),
    })
}
