//! Records of a batch, sorted out into rows, and the lanes in which they are written.

mod store;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_bridge::{
    civil_day,
    follower::record_id,
    format::{Said, WITH_FIELDS},
};
use xuezhu_domain::text::comparable_name;
use xuezhu_judge::heads::{Group, Heads};
use xuezhu_proto::bridge::{self as pb, record::Body};
use xuezhu_service::Error;
use xuezhu_store::{Hex, StoreError, Tx};

use self::store::{EnrollmentRow, HeadCountRow, KeyRow, NameRow, PeriodRow, PersonRow, SchoolRecord};
use super::vouches;

/// Hexadecimal digits of what is said in the fields of one later format.
pub const LATER_DIGITS: usize = 32;

/// Records of one batch, sorted out.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    schools: Vec<SchoolRecord>,
    persons: Vec<PersonRow>,
    keys: Vec<KeyRow>,
    names: Vec<NameRow>,
    enrollments: Vec<EnrollmentRow>,
    periods: Vec<PeriodRow>,
    head_counts: Vec<HeadCountRow>,
}

impl Batch {
    /// Of several states of one record the highest version counts: with several writers the order of a batch is no proof.
    pub fn of(records: &[pb::Record]) -> Result<Self, Error> {
        let mut last: HashMap<(u8, Uuid), usize> = HashMap::new();
        for (index, record) in records.iter().enumerate() {
            let kind = match record.body {
                Some(Body::School(_)) => 0,
                Some(Body::Person(_)) => 1,
                Some(Body::Enrollment(_)) => 2,
                Some(Body::HeadCount(_)) => 3,
                // A kind that a newer source knows and this follower does not.
                None => continue,
            };
            last.entry((kind, record_id(record)?))
                .and_modify(|known| {
                    if records[*known].version < record.version {
                        *known = index;
                    }
                })
                .or_insert(index);
        }
        let mut indexes: Vec<usize> = last.into_values().collect();
        indexes.sort_unstable();
        let mut batch = Self::default();
        for record in indexes.into_iter().map(|index| &records[index]) {
            let id = record_id(record)?;
            match &record.body {
                Some(Body::School(school)) => batch.school(Told::of(record), school),
                Some(Body::Person(person)) => batch.person(id, Told::of(record), person)?,
                Some(Body::Enrollment(enrollment)) => batch.enrollment(id, Told::of(record), enrollment)?,
                // A school that has left is counted elsewhere.
                Some(Body::HeadCount(count)) if !record.left_scope => batch.head_count(&Told::of(record), count)?,
                Some(Body::HeadCount(_)) | None => {}
            }
        }
        Ok(batch)
    }

    /// Parts the batch into at most so many lanes, none of them empty: what is said of one person, and of an enrollment that
    /// is nobody's yet, is in one. Schools and their head counts, which nothing here hangs on, go first.
    pub fn lanes(self, most: usize) -> Vec<Self> {
        let most = most.max(1);
        let lane_of = |id: Uuid| usize::try_from(id.as_u128() % most as u128).unwrap_or_default();
        let mut lanes = vec![Self::default(); most];
        let mut of_enrollments = HashMap::new();
        for row in self.persons {
            lanes[lane_of(row.person.0)].persons.push(row);
        }
        for row in self.keys {
            lanes[lane_of(row.person.0)].keys.push(row);
        }
        for row in self.names {
            lanes[lane_of(row.person.0)].names.push(row);
        }
        for row in self.enrollments {
            let lane = lane_of(row.person.unwrap_or(row.claim_key).0);
            of_enrollments.insert(row.enrollment.0, lane);
            lanes[lane].enrollments.push(row);
        }
        for row in self.periods {
            lanes[of_enrollments[&row.enrollment.0]].periods.push(row);
        }
        lanes[0].schools = self.schools;
        lanes[0].head_counts = self.head_counts;
        lanes.retain(|lane| !lane.is_empty());
        lanes
    }

    /// Schools of it that were not known so far, or lay elsewhere, or were somebody else's: policies may say other things of them from now on.
    pub async fn moving(&self, tx: &mut Tx, generation: i64) -> Result<Vec<String>, StoreError> {
        store::moving(tx, generation, &self.schools).await
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.schools.is_empty() && self.head_counts.is_empty() && self.persons.is_empty() && self.enrollments.is_empty()
    }

    fn head_count(&mut self, told: &Told, count: &pb::HeadCount) -> Result<(), Error> {
        let group = |group: &pb::HeadCountGroup| Group {
            entry_year: group.entry_year,
            major: group.major.clone(),
            heads: Heads { in_school: group.in_school, on_leave: group.on_leave },
        };
        let groups: Vec<Group> = count.groups.iter().map(group).collect();
        self.head_counts.push(HeadCountRow {
            school: count.school.clone(),
            version: told.version,
            recorded_at_us: told.recorded_at_us,
            day: civil_day(count.day),
            history: Hex(uuid(&count.history)?),
            position: count.position,
            records: count.records,
            versions: count.versions,
            groups: serde_json::to_string(&groups).unwrap_or_default(),
        });
        Ok(())
    }

    fn school(&mut self, told: Told, school: &pb::School) {
        self.schools.push(SchoolRecord {
            school: school.code.clone(),
            version: told.version,
            change: told.change,
            recorded_at_us: told.recorded_at_us,
            name: school.name.clone(),
            kind: school.kind.clone(),
            authority: school.authority.clone(),
            region: school.region.clone(),
            state: school.state.clone(),
        });
    }

    fn person(&mut self, id: Uuid, told: Told, person: &pb::Person) -> Result<(), Error> {
        for key in &person.keys {
            self.keys.push(KeyRow { person: Hex(id), person_key: Hex(uuid(&key.key)?), kind: key.kind, end_recorded: day_or_none(key.end_recorded_day) });
        }
        for (ordinal, name) in person.names.iter().enumerate() {
            self.names.push(NameRow {
                person: Hex(id),
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                name: name.name.clone(),
                name_comparable: comparable_name(&name.name),
                kind: name.kind,
                end_recorded: day_or_none(name.end_recorded_day),
            });
        }
        let said = Said::of_person(person);
        self.persons.push(PersonRow {
            person: Hex(id),
            version: told.version,
            change: told.change,
            recorded_at_us: told.recorded_at_us,
            sex: person.sex,
            birth_date: civil_day(person.birth_day),
            registry: person.registry,
            digest: Hex(digest(&said.first)),
            later: later(&said.later),
        });
        Ok(())
    }

    fn enrollment(&mut self, id: Uuid, told: Told, enrollment: &pb::Enrollment) -> Result<(), Error> {
        for (ordinal, period) in enrollment.periods.iter().enumerate() {
            self.periods.push(PeriodRow {
                enrollment: Hex(id),
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                from_date: civil_day(period.from_day),
                to_date: day_or_none(period.to_day),
                state: period.state,
                class_name: period.class_name.clone(),
                major: period.major.clone(),
                study_form: period.study_form.clone(),
                household: period.household.clone(),
                residence: period.residence.clone(),
                registered_region: period.registered_region.clone(),
                urban_rural: period.urban_rural.clone(),
                special_groups: period.special_groups.join(" "),
            });
        }
        let said = Said::of_enrollment(enrollment);
        self.enrollments.push(EnrollmentRow {
            enrollment: Hex(id),
            version: told.version,
            change: told.change,
            recorded_at_us: told.recorded_at_us,
            digest: Hex(digest(&said.first)),
            story: Hex(digest(&pb::Enrollment { person: Vec::new(), ..said.first })),
            later: later(&said.later),
            school: enrollment.school.clone(),
            stage: enrollment.stage,
            claim_key: Hex(uuid(&enrollment.claim_key)?),
            claim_name: enrollment.claim_name.clone(),
            sex: enrollment.sex,
            birth_date: civil_day(enrollment.birth_day),
            person: if enrollment.person.is_empty() { None } else { Some(Hex(uuid(&enrollment.person)?)) },
            entry_date: civil_day(enrollment.entry_day),
            approved_day: day_or_none(enrollment.approved_day),
            claimed_day: day_or_none(enrollment.claimed_day),
        });
        Ok(())
    }

    /// What came with a later format than the batch was told in was not said: it is not compared.
    fn told_in(&mut self, with_fields: &[i32], format: i32) {
        let said = LATER_DIGITS * with_fields.iter().take_while(|with| **with <= format).count();
        let rows = self.persons.iter_mut().map(|row| &mut row.later).chain(self.enrollments.iter_mut().map(|row| &mut row.later));
        rows.for_each(|later| later.truncate(said));
    }

    /// Leaves out what the generation holds already, or holds newer. Returns the keys by which it holds the rest.
    async fn keep_newer(&mut self, tx: &mut Tx, generation: i64) -> Result<Vec<Uuid>, Error> {
        let persons: Vec<Uuid> = self.persons.iter().map(|row| row.person.0).collect();
        let enrollments: Vec<Uuid> = self.enrollments.iter().map(|row| row.enrollment.0).collect();
        let held = store::held(tx, generation, &persons, &enrollments).await?;
        let versions: HashMap<Uuid, i64> = held.iter().filter_map(|row| row.version.map(|version| (row.record, version))).collect();
        let is_newer = |id: Uuid, version: i64| versions.get(&id).is_none_or(|known| version > *known);
        self.persons.retain(|row| is_newer(row.person.0, row.version));
        self.enrollments.retain(|row| is_newer(row.enrollment.0, row.version));
        let newer: HashSet<Uuid> = self.persons.iter().map(|row| row.person.0).chain(self.enrollments.iter().map(|row| row.enrollment.0)).collect();
        self.keys.retain(|row| newer.contains(&row.person.0));
        self.names.retain(|row| newer.contains(&row.person.0));
        self.periods.retain(|row| newer.contains(&row.enrollment.0));
        Ok(held.into_iter().filter(|row| newer.contains(&row.record)).filter_map(|row| row.key).collect())
    }

    /// Writes what is newer than what the generation holds, as told in a format. Returns the keys touched, before and after.
    pub async fn write(mut self, tx: &mut Tx, generation: i64, format: i32) -> Result<Vec<Uuid>, Error> {
        self.told_in(&WITH_FIELDS, format);
        store::upsert_schools(tx, generation, &self.schools).await?;
        store::upsert_head_counts(tx, generation, &self.head_counts).await?;
        if self.persons.is_empty() && self.enrollments.is_empty() {
            return Ok(Vec::new());
        }
        let mut touched = self.keep_newer(tx, generation).await?;
        if self.persons.is_empty() && self.enrollments.is_empty() {
            return Ok(Vec::new());
        }
        let persons: Vec<Uuid> = self.persons.iter().map(|row| row.person.0).collect();
        let enrollments: Vec<Uuid> = self.enrollments.iter().map(|row| row.enrollment.0).collect();
        store::replace_persons(tx, generation, &persons, &self.persons, &self.keys, &self.names).await?;
        store::replace_enrollments(tx, generation, &enrollments, &self.enrollments, &self.periods).await?;
        let mut vouched = persons;
        vouched.extend(self.enrollments.iter().filter_map(|row| row.person.map(|person| person.0)));
        vouched.sort_unstable();
        vouched.dedup();
        if !vouched.is_empty() {
            vouches::renew(tx, generation, &vouched).await?;
        }
        touched.extend(self.keys.iter().map(|row| row.person_key.0).chain(self.enrollments.iter().map(|row| row.claim_key.0)));
        touched.sort_unstable();
        touched.dedup();
        Ok(touched)
    }
}

/// Drops what the source said in its other generations; what other sources say stays.
pub async fn drop_others(tx: &mut Tx, generation: i64) -> Result<(), StoreError> {
    store::drop_others(tx, generation).await
}

/// What a record says beside its body.
#[derive(Debug, Clone, Copy)]
struct Told {
    version: i64,
    change: Option<Hex>,
    recorded_at_us: i64,
}

impl Told {
    fn of(record: &pb::Record) -> Self {
        Self { version: record.version, change: Uuid::from_slice(&record.change).ok().map(Hex), recorded_at_us: record.recorded_at_us }
    }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Error> {
    Uuid::from_slice(bytes).map_err(|_| StoreError::Corrupt("id of 16 bytes").into())
}

fn day_or_none(days: i32) -> Option<chrono::NaiveDate> {
    (days != 0).then(|| civil_day(days))
}

fn digest(message: &impl prost::Message) -> Uuid {
    let hash = blake3::hash(&message.encode_to_vec());
    Uuid::from_slice(&hash.as_bytes()[..16]).unwrap_or_default()
}

/// Digests of what was said in the fields of each later format, one behind the other.
fn later(said: &[Vec<u8>]) -> String {
    said.iter().map(|said| blake3::hash(said).to_hex()[..LATER_DIGITS].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u128, version: i64, body: Body) -> pb::Record {
        pb::Record { id: Uuid::from_u128(id).as_bytes().to_vec(), version, body: Some(body), ..pb::Record::default() }
    }

    fn enrollment(id: u128, version: i64, claim: u128, person: Option<u128>) -> pb::Record {
        let bytes = |id: u128| Uuid::from_u128(id).as_bytes().to_vec();
        let body = pb::Enrollment {
            claim_key: bytes(claim),
            person: person.map(bytes).unwrap_or_default(),
            periods: vec![pb::Period::default()],
            ..pb::Enrollment::default()
        };
        record(id, version, Body::Enrollment(body))
    }

    #[test]
    fn what_a_format_did_not_tell_is_not_compared() {
        let with_fields = [4, 6];
        let whole = later(&[b"of 4".to_vec(), b"of 6".to_vec()]);
        for (format, formats_said) in [(1, 0), (3, 0), (4, 1), (5, 1), (6, 2), (9, 2)] {
            let records = [record(11, 1, Body::Person(pb::Person::default())), enrollment(101, 1, 41, Some(11))];
            let mut batch = Batch::of(&records).expect("sorts");
            batch.persons[0].later.clone_from(&whole);
            batch.enrollments[0].later.clone_from(&whole);
            batch.told_in(&with_fields, format);
            let said = &whole[..LATER_DIGITS * formats_said];
            assert_eq!((batch.persons[0].later.as_str(), batch.enrollments[0].later.as_str()), (said, said), "{format}");
        }
        assert_ne!(whole[..LATER_DIGITS], whole[LATER_DIGITS..]);
    }

    #[test]
    fn what_is_said_of_one_person_is_in_one_lane_and_the_highest_version_counts() {
        let records = [
            record(1, 1, Body::School(pb::School { code: "3643000001".into(), ..pb::School::default() })),
            // Nobody's yet, then person 11's: the earlier state must not go another way.
            enrollment(100, 1, 40, None),
            enrollment(100, 2, 40, Some(11)),
            record(11, 1, Body::Person(pb::Person { names: vec![pb::PersonName::default()], ..pb::Person::default() })),
            record(12, 1, Body::Person(pb::Person::default())),
            enrollment(101, 5, 41, Some(12)),
            enrollment(101, 4, 41, Some(12)),
        ];
        let lanes = Batch::of(&records).expect("sorts").lanes(2);
        let told = |lane: &Batch| -> (usize, Vec<u128>, Vec<(u128, i64)>, usize, usize) {
            let enrollments = lane.enrollments.iter().map(|row| (row.enrollment.0.as_u128(), row.version)).collect();
            (lane.schools.len(), lane.persons.iter().map(|row| row.person.0.as_u128()).collect(), enrollments, lane.periods.len(), lane.names.len())
        };
        let lanes: Vec<_> = lanes.iter().map(told).collect();
        assert_eq!(lanes, [(1, vec![12], vec![(101, 5)], 1, 0), (0, vec![11], vec![(100, 2)], 1, 1)]);
        assert_eq!(Batch::of(&records[1..4]).expect("sorts").lanes(2).len(), 1, "a batch about one person is one lane");
        assert_eq!(Batch::of(&[]).expect("sorts").lanes(2).len(), 0);
    }
}
