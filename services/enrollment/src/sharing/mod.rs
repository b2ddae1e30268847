//! What the bridge hands out: the small part of each record that aid decisions need. Never a number.

mod store;

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_bridge::{Kind, Shared, epoch_day, log::school_id, publish};
use xuezhu_domain::enrollment::State;
use xuezhu_proto::bridge::{self as pb, enrollment::Stage, record::Body};
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use self::store::{EnrollmentRow, SchoolRow, SharedRow};

/// Shares a school as it is now.
pub async fn share_school(ctx: &Context, tx: &mut Tx, code: &str) -> Result<(), Error> {
    let shared = school(tx, code).await?;
    publish(ctx, tx, shared.as_slice()).await
}

/// Shares schools as they are now.
pub async fn share_schools(ctx: &Context, tx: &mut Tx, codes: &[&str]) -> Result<(), Error> {
    let shared: Vec<Shared> = store::schools(tx, codes).await?.into_iter().map(shared_school).collect();
    publish(ctx, tx, &shared).await
}

async fn school(tx: &mut Tx, code: &str) -> Result<Option<Shared>, Error> {
    Ok(store::school(tx, code).await?.map(shared_school))
}

fn shared_school(row: SchoolRow) -> Shared {
    let (id, scope) = (school_id(&row.code), row.region.clone());
    let body = pb::School { code: row.code, name: row.name, kind: row.kind, authority: row.authority, region: row.region, state: row.state };
    Shared { id, scope, body: Body::School(body) }
}

/// Shares persons as they are now.
pub async fn share_persons(ctx: &Context, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
    let shared = persons(tx, ids).await?;
    publish(ctx, tx, &shared).await
}

async fn persons(tx: &mut Tx, persons: &[Uuid]) -> Result<Vec<Shared>, Error> {
    let mut keys: HashMap<Uuid, Vec<pb::PersonKey>> = HashMap::new();
    for row in store::keys(tx, persons).await? {
        keys.entry(row.person).or_default().push(pb::PersonKey {
            key: row.person_key.as_bytes().to_vec(),
            kind: row.kind,
            end_recorded_day: row.end_recorded.map_or(0, epoch_day),
        });
    }
    let mut names: HashMap<Uuid, Vec<pb::PersonName>> = HashMap::new();
    for row in store::names(tx, persons).await? {
        names.entry(row.person).or_default().push(pb::PersonName { name: row.name, kind: row.kind, end_recorded_day: row.end_recorded.map_or(0, epoch_day) });
    }
    let mut regions: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (person, region) in store::regions(tx, persons).await? {
        regions.entry(person).or_default().push(region);
    }
    let shared = store::persons(tx, persons)
        .await?
        .into_iter()
        .map(|row| Shared {
            id: row.person,
            scope: regions.remove(&row.person).unwrap_or_default().join(" "),
            body: Body::Person(pb::Person {
                keys: keys.remove(&row.person).unwrap_or_default(),
                names: names.remove(&row.person).unwrap_or_default(),
                sex: row.sex,
                birth_day: epoch_day(row.birth_date),
                registry: row.registry,
            }),
        })
        .collect();
    Ok(shared)
}

/// Shares enrollments as they are now, with their whole timelines.
pub async fn share_enrollments(ctx: &Context, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
    let shared = enrollments(tx, ids).await?;
    publish(ctx, tx, &shared).await
}

/// What is shared of these records as they are now, held until the transaction ends: for publishing again in a higher format.
pub async fn renewed(tx: &mut Tx, kind: i32, ids: Vec<Uuid>) -> Result<Vec<Shared>, Error> {
    if kind == Kind::Person as i32 {
        store::hold_persons(tx, &ids).await?;
        persons(tx, &ids).await
    } else if kind == Kind::Enrollment as i32 {
        store::hold_enrollments(tx, &ids).await?;
        enrollments(tx, &ids).await
    } else if kind == Kind::HeadCount as i32 {
        // What was counted then stays as it was: the next count tells it in the present format.
        Ok(Vec::new())
    } else {
        let mut shared = Vec::new();
        for code in store::held_schools(tx).await? {
            if ids.contains(&school_id(&code)) {
                shared.extend(school(tx, &code).await?);
            }
        }
        Ok(shared)
    }
}

async fn enrollments(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Shared>, Error> {
    let mut shared: Vec<Shared> = Vec::with_capacity(enrollments.len());
    for row in store::enrollments(tx, enrollments).await? {
        let period = period(&row)?;
        match shared.last_mut() {
            Some(Shared { id, body: Body::Enrollment(known), .. }) if *id == row.enrollment.enrollment => known.periods.extend(period),
            _ => {
                let (id, scope) = (row.enrollment.enrollment, row.enrollment.region.clone());
                shared.push(Shared { id, scope, body: Body::Enrollment(body(row.enrollment, period)?) });
            }
        }
    }
    Ok(shared)
}

/// A draft is shared only where it was submitted before: as a claim that was taken back.
fn stage(state: State) -> Stage {
    match state {
        State::Submitted | State::Attested => Stage::Submitted,
        State::Draft | State::SentBack => Stage::SentBack,
        State::InSchool | State::OnLeave | State::Withdrawn | State::NeverCame => Stage::Approved,
    }
}

fn period(row: &SharedRow) -> Result<Option<pb::Period>, Error> {
    let (Some(from), Some(state)) = (row.from_date, row.period_state) else { return Ok(None) };
    let state = State::from_code(state).and_then(State::dated).ok_or(StoreError::Corrupt("state of a period"))?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(Some(pb::Period {
        from_day: epoch_day(from),
        to_day: row.to_date.map_or(0, epoch_day),
        state: state.code(),
        class_name: text(&row.class_name),
        major: text(&row.major),
        study_form: text(&row.study_form),
        household: text(&row.household),
        residence: text(&row.residence),
        registered_region: text(&row.registered_region),
        urban_rural: text(&row.urban_rural),
        special_groups: text(&row.special_groups).split_whitespace().map(str::to_owned).collect(),
    }))
}

fn body(row: EnrollmentRow, first: Option<pb::Period>) -> Result<pb::Enrollment, Error> {
    let stage = stage(State::from_code(row.state).ok_or(StoreError::Corrupt("state"))?);
    Ok(pb::Enrollment {
        school: row.school,
        stage: stage.into(),
        claim_key: row.claim_key.as_bytes().to_vec(),
        claim_name: row.name,
        sex: row.sex,
        birth_day: epoch_day(row.birth_date),
        person: row.person.map(|person| person.as_bytes().to_vec()).unwrap_or_default(),
        entry_day: epoch_day(row.entry_date),
        approved_day: row.approved_day.map_or(0, epoch_day),
        periods: first.into_iter().collect(),
        claimed_day: row.claimed_day.map_or(0, epoch_day),
    })
}
