//! A student's story: enrollment and aid, as far as somebody may see them, across mirror, flags and lists.

pub(crate) mod shown;

use std::collections::BTreeSet;

use uuid::Uuid;
use xuezhu_judge::{
    case::{Enrollment, PersonCase},
    rules,
};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, Permission, Refusal, clock::rfc3339, paging::Turn};
use xuezhu_store::Tx;

use self::shown::Viewer;
use crate::{
    Parts, award, mirror,
    policy::scheme_told,
    reconciliation::{self, parse_months},
};

/// A student's enrollment and aid, as far as the caller may see them.
pub async fn of(ctx: &Context, tx: &mut Tx, parts: &Parts, person: Uuid) -> Result<pb::GetStoryResponse, Error> {
    let not_found = || Error::from(Refusal::not_found("该学生"));
    let state = mirror::state(tx).await?;
    let keys = reconciliation::keys_of_person(tx, state.generation, person).await?;
    if keys.is_empty() {
        return Err(not_found());
    }
    let mut subjects: Vec<Uuid> =
        reconciliation::subjects(tx, &keys).await?.into_iter().chain(reconciliation::person_subjects(tx, &[person]).await?).map(|(_, of)| of).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let case = reconciliation::cases(tx, state.generation, &keys)
        .await?
        .into_iter()
        .find(|case| case.persons.iter().any(|known| known.person == person))
        .ok_or_else(not_found)?;
    let schools = visible_schools(ctx, tx, &case, person).await?;
    if schools.is_empty() {
        return Err(not_found());
    }
    let known = case.persons.iter().find(|known| known.person == person).ok_or_else(not_found)?;
    let viewer = Viewer::of(ctx);
    let sees = |school: &str| viewer.sees(school) && (viewer.school.is_none() || schools.iter().any(|known| known == school));
    let mut flags = Vec::new();
    for subject in &subjects {
        flags.extend(
            reconciliation::flags(tx, &reconciliation::Filter { subject: Some(*subject), ..reconciliation::Filter::default() }, &Turn::first(200)).await?,
        );
    }
    // Of a key that several persons held, only what means this one belongs here.
    let own: Vec<Uuid> = case
        .claims
        .iter()
        .filter(|claim| rules::holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day).is_some_and(|holder| holder.person == person))
        .map(|claim| claim.entry)
        .collect();
    flags.retain(|row| !row.state.meaning().is_closed && sees(&row.school) && row.entry.map_or(row.person == Some(person), |entry| own.contains(&entry)));
    flags.sort_by_key(|row| row.flag);
    flags.dedup_by_key(|row| row.flag);
    let mut names = shown::school_names(tx, &flags).await?;
    let codes: Vec<String> = case.enrollments.iter().map(|enrollment| enrollment.school.clone()).collect();
    names.extend(mirror::school_names(tx, &codes).await?);
    let held_months = |entry: Uuid| -> Vec<i32> {
        let of_entry = flags.iter().filter(|row| row.holds && row.entry == Some(entry));
        let months: BTreeSet<i32> = of_entry.flat_map(|row| parse_months(&row.months)).map(xuezhu_domain::Month::number).collect();
        months.into_iter().collect()
    };
    let awards = award::awards_of_keys(tx, &keys).await?;
    let mut standing = award::units::standing(tx, &awards.iter().map(|row| (row.entry, row.months.as_str())).collect::<Vec<_>>()).await?;
    let mut enrollments: Vec<&Enrollment> =
        case.enrollments.iter().filter(|enrollment| enrollment.person.is_none_or(|of| of == person) && sees(&enrollment.school)).collect();
    enrollments.sort_by_key(|enrollment| (enrollment.entry_date, enrollment.enrollment));
    let policies = parts.policies.now();
    Ok(pb::GetStoryResponse {
        person: person.to_string(),
        name: known.name().to_owned(),
        timeline: enrollments.into_iter().map(|enrollment| shown::found(&names, &rules::side(enrollment))).collect(),
        awards: awards
            .into_iter()
            .filter(|row| sees(&row.school) && own.contains(&row.entry))
            .map(|row| (standing.remove(&row.entry).unwrap_or_default(), row))
            .map(|((standing_months, standing_fen), row)| (standing_months, standing_fen, scheme_told(&policies, &row.scheme), row))
            .map(|(standing_months, standing_fen, scheme, row)| pb::StoryAward {
                standing_months,
                standing_fen,
                held: flags.iter().any(|flag| flag.holds && flag.entry == Some(row.entry)),
                held_months: held_months(row.entry),
                entry: row.entry.to_string(),
                list: row.list.to_string(),
                school: row.school,
                scheme: scheme.scheme,
                scheme_code: scheme.scheme_code,
                scheme_name: scheme.scheme_name,
                term: row.term,
                months: parse_months(&row.months).into_iter().map(xuezhu_domain::Month::number).collect(),
                amount_fen: row.amount_fen,
                state: pb::award_entry::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
            })
            .collect(),
        flags: flags.into_iter().map(|row| shown::flag(ctx, parts, &viewer, &names, row)).collect::<Result<_, Error>>()?,
        judged_at: Some(pb::Judged { position: state.position, time: rfc3339(ctx.now_us()) }),
        registry: known.registry.as_str().to_owned(),
    })
}

/// The schools of a person's story in which the caller may read. A claim alone gives a school no sight of a person.
async fn visible_schools(ctx: &Context, tx: &mut Tx, case: &PersonCase, person: Uuid) -> Result<Vec<String>, Error> {
    let own_school = Viewer::of(ctx).school.is_some();
    let places = case.enrollments.iter().filter(|enrollment| enrollment.person == Some(person)).map(|enrollment| enrollment.school.as_str());
    let claims = case.claims.iter().filter(|_| !own_school).map(|claim| claim.school.as_str());
    let mut schools: Vec<&str> = places.chain(claims).collect();
    schools.sort_unstable();
    schools.dedup();
    let mut visible = Vec::new();
    for school in schools {
        if mirror::school_for(ctx, tx, school, Permission::ReadSchool).await.is_ok() {
            visible.push(school.to_owned());
        }
    }
    Ok(visible)
}
