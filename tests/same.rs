//! Whether a mirror says what its source says, field by field.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use prost::Message;
use uuid::Uuid;
use xuezhu_proto::bridge::{Record, record::Body};
use xuezhu_store::{Db, rows};

/// A day as the feed writes it; none where it is 0.
fn day(days: i32) -> Option<NaiveDate> {
    (days != 0).then(|| NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day") + chrono::TimeDelta::days(days.into()))
}

fn id(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

/// What a record says, a line for each fact.
fn facts_of(record: Uuid, version: i64, body: Body) -> Vec<String> {
    match body {
        Body::Person(person) => {
            let mut facts = vec![format!("person {record} {version} {} {:?} {}", person.sex, day(person.birth_day), person.registry)];
            facts.extend(person.keys.iter().map(|key| format!("key {record} {} {} {:?}", id(&key.key), key.kind, day(key.end_recorded_day))));
            facts.extend(person.names.iter().map(|name| format!("name {record} {} {} {:?}", name.name, name.kind, day(name.end_recorded_day))));
            facts
        }
        Body::Enrollment(told) => {
            let (key, person, birth, entry, approved) =
                (id(&told.claim_key), id(&told.person), day(told.birth_day), day(told.entry_day), day(told.approved_day));
            let mut facts = vec![format!(
                "enrollment {record} {version} {} {} {key} {} {} {birth:?} {person} {entry:?} {approved:?} {:?}",
                told.school,
                told.stage,
                told.claim_name,
                told.sex,
                day(told.claimed_day)
            )];
            facts.extend(told.periods.iter().map(|period| {
                let to = day(period.to_day).unwrap_or(NaiveDate::MAX);
                let from = day(period.from_day);
                let (place, home) = ([&period.class_name, &period.major, &period.study_form], [&period.household, &period.residence]);
                let circumstances = (&period.registered_region, &period.urban_rural, period.special_groups.join(" "));
                format!("period {record} {from:?} {} {} {place:?} {home:?} {circumstances:?}", shown(to), period.state)
            }));
            facts
        }
        Body::HeadCount(count) => {
            let heads = count.groups.iter().map(|group| format!("{} {} {} {}", group.entry_year, group.major, group.in_school, group.on_leave));
            let (heads, day) = (heads.collect::<Vec<_>>().join(", "), day(count.day));
            vec![format!("heads {} {version} {day:?} {} {} {} {heads}", count.school, count.position, count.records, count.versions)]
        }
        Body::School(school) => {
            vec![format!("school {} {version} {} {} {} {} {}", school.code, school.name, school.kind, school.authority, school.region, school.state)]
        }
    }
}

/// The end of a period that has none, whichever way it is kept.
fn shown(to: NaiveDate) -> String {
    if to.format("%Y").to_string().len() > 4 || to > NaiveDate::from_ymd_opt(2999, 1, 1).expect("a day") { "open".to_owned() } else { to.to_string() }
}

/// Every fact that one of them says and the other does not.
pub async fn differences(enrollment: &str, aid: &str) -> Vec<String> {
    let (source, mirror) = (Db::open(enrollment).await.expect("opens"), Db::open(aid).await.expect("opens"));
    let mut tx = source.read().await.expect("reads");
    let shared = rows!(&mut tx, (Uuid, i64, Vec<u8>), "SELECT record, version, body FROM shared_records").expect("reads");
    tx.rollback().await.expect("ends");
    let told = |(record, version, body): (Uuid, i64, Vec<u8>)| facts_of(record, version, Record::decode(&body[..]).expect("decodes").body.expect("a body"));
    let said: BTreeSet<String> = shared.into_iter().flat_map(told).collect();
    let held = held(&mirror).await;
    let missing = said.difference(&held).map(|fact| format!("missing: {fact}"));
    missing.chain(held.difference(&said).map(|fact| format!("too much: {fact}"))).collect()
}

async fn held(mirror: &Db) -> BTreeSet<String> {
    let mut tx = mirror.read().await.expect("reads");
    let mut held = BTreeSet::new();
    type Person = (Uuid, i64, i32, NaiveDate, i32);
    let persons = "SELECT person, version, sex, birth_date, registry FROM mirror_persons WHERE generation = (SELECT generation FROM mirror_state)";
    for (person, version, sex, birth, registry) in rows!(&mut tx, Person, persons).expect("reads") {
        held.insert(format!("person {person} {version} {sex} {:?} {registry}", Some(birth)));
    }
    type Heads = (String, i64, NaiveDate, i64, i64, i64, String);
    let counts = "SELECT school, version, day, position, records, versions, groups FROM mirror_head_counts
                  WHERE generation = (SELECT generation FROM mirror_state)";
    for (school, version, day, position, records, versions, groups) in rows!(&mut tx, Heads, counts).expect("reads") {
        let groups: Vec<xuezhu_judge::heads::Group> = serde_json::from_str(&groups).expect("groups");
        let heads = groups.iter().map(|group| format!("{} {} {} {}", group.entry_year, group.major, group.heads.in_school, group.heads.on_leave));
        let heads = heads.collect::<Vec<_>>().join(", ");
        held.insert(format!("heads {school} {version} {:?} {position} {records} {versions} {heads}", Some(day)));
    }
    let keys = "SELECT person, person_key, kind, end_recorded FROM mirror_person_keys WHERE generation = (SELECT generation FROM mirror_state)";
    for (person, key, kind, end) in rows!(&mut tx, (Uuid, Uuid, i32, Option<NaiveDate>), keys).expect("reads") {
        held.insert(format!("key {person} {key} {kind} {end:?}"));
    }
    let names = "SELECT person, name, kind, end_recorded FROM mirror_person_names WHERE generation = (SELECT generation FROM mirror_state)";
    for (person, name, kind, end) in rows!(&mut tx, (Uuid, String, i32, Option<NaiveDate>), names).expect("reads") {
        held.insert(format!("name {person} {name} {kind} {end:?}"));
    }
    type Enrollment = (Uuid, i64, String, i32, Uuid, String, i32, NaiveDate, Option<Uuid>, NaiveDate, Option<NaiveDate>, Option<NaiveDate>);
    let enrollments =
        "SELECT enrollment, version, school, stage, claim_key, claim_name, sex, birth_date, person, entry_date, approved_day, claimed_day FROM mirror_enrollments
                       WHERE generation = (SELECT generation FROM mirror_state)";
    for (enrollment, version, school, stage, key, name, sex, birth, person, entry, approved, claimed) in rows!(&mut tx, Enrollment, enrollments).expect("reads")
    {
        let (birth, entry, person) = (Some(birth), Some(entry), person.unwrap_or_default());
        held.insert(format!("enrollment {enrollment} {version} {school} {stage} {key} {name} {sex} {birth:?} {person} {entry:?} {approved:?} {claimed:?}"));
    }
    type Period = (Uuid, NaiveDate, Option<NaiveDate>, i32, String, String, String, String, String, String, String, String);
    let periods = "SELECT enrollment, from_date, to_date, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups FROM mirror_periods
                   WHERE generation = (SELECT generation FROM mirror_state)";
    for (enrollment, from, to, state, class, major, form, household, residence, region, urban_rural, groups) in rows!(&mut tx, Period, periods).expect("reads")
    {
        let to = shown(to.unwrap_or(NaiveDate::MAX));
        let (place, home, circumstances) = ([class, major, form], [household, residence], (region, urban_rural, groups));
        held.insert(format!("period {enrollment} {:?} {to} {state} {place:?} {home:?} {circumstances:?}", Some(from)));
    }
    type School = (String, i64, String, String, String, String, String);
    let schools = "SELECT school, version, name, kind, authority, region, state FROM mirror_schools WHERE generation = (SELECT generation FROM mirror_state)";
    for (code, version, name, kind, authority, region, state) in rows!(&mut tx, School, schools).expect("reads") {
        held.insert(format!("school {code} {version} {name} {kind} {authority} {region} {state}"));
    }
    tx.rollback().await.expect("ends");
    held
}
