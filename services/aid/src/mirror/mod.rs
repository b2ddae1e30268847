//! The follower's end: what enrollment says, by generation; schools to authorise by; how fresh it is.

mod store;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use uuid::Uuid;
use xuezhu_bridge::{
    Cursor, civil_day,
    follower::{Mirror, record_id},
};
use xuezhu_domain::text::comparable_name;
use xuezhu_proto::bridge::{self as pb, record::Body};
use xuezhu_service::{Context, Error, Permission, Place, Refusal};
use xuezhu_store::{Hex, StoreError, Tx, json_uuids};

pub use self::store::SchoolRow;
// What other capabilities may ask.
use self::store::{EnrollmentRow, KeyRow, NameRow, PeriodRow, PersonRow, SchoolRecord};
pub(crate) use self::store::{held_state, school, school_names, state};
use crate::{Parts, reconciliation};

/// The mirror in aid's database.
#[derive(Debug, Clone)]
pub struct AidMirror(pub Arc<Parts>);

/// A school that the mirror knows, if the actor may do something there.
pub async fn school_for(ctx: &Context, tx: &mut Tx, code: &str, permission: Permission) -> Result<SchoolRow, Error> {
    let Some(school) = store::school(tx, code).await? else {
        ctx.may(permission, &Place::School { code, authority: "" })?;
        return Err(Refusal::not_found("该学校（或学籍系统的学校信息尚未同步到资助系统）").into());
    };
    ctx.may(permission, &Place::School { code: &school.school, authority: &school.authority })?;
    Ok(school)
}

/// Records of one batch, sorted out, with the keys that they touch.
#[derive(Default)]
struct Sorted {
    schools: Vec<SchoolRecord>,
    persons: Vec<PersonRow>,
    keys: Vec<KeyRow>,
    names: Vec<NameRow>,
    enrollments: Vec<EnrollmentRow>,
    periods: Vec<PeriodRow>,
}

impl Sorted {
    /// Of several states of one record the highest version counts: with several writers the order of a batch is no proof.
    fn of(records: &[pb::Record]) -> Result<Self, Error> {
        let mut last: HashMap<(u8, Uuid), usize> = HashMap::new();
        for (index, record) in records.iter().enumerate() {
            let kind = match record.body {
                Some(Body::School(_)) => 0,
                Some(Body::Person(_)) => 1,
                Some(Body::Enrollment(_)) => 2,
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
        let mut sorted = Self::default();
        for record in indexes.into_iter().map(|index| &records[index]) {
            let id = record_id(record)?;
            match &record.body {
                Some(Body::School(school)) => sorted.school(record.version, school),
                Some(Body::Person(person)) => sorted.person(id, record.version, person)?,
                Some(Body::Enrollment(enrollment)) => sorted.enrollment(id, record.version, enrollment)?,
                None => {}
            }
        }
        Ok(sorted)
    }

    fn school(&mut self, version: i64, school: &pb::School) {
        self.schools.push(SchoolRecord {
            school: school.code.clone(),
            version,
            name: school.name.clone(),
            kind: school.kind.clone(),
            authority: school.authority.clone(),
            region: school.region.clone(),
            state: school.state.clone(),
        });
    }

    fn person(&mut self, id: Uuid, version: i64, person: &pb::Person) -> Result<(), Error> {
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
        self.persons.push(PersonRow {
            person: Hex(id),
            version,
            sex: person.sex,
            birth_date: civil_day(person.birth_day),
            registry: person.registry,
            digest: Hex(digest(person)),
        });
        Ok(())
    }

    fn enrollment(&mut self, id: Uuid, version: i64, enrollment: &pb::Enrollment) -> Result<(), Error> {
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
            });
        }
        self.enrollments.push(EnrollmentRow {
            enrollment: Hex(id),
            version,
            school: enrollment.school.clone(),
            stage: enrollment.stage,
            claim_key: Hex(uuid(&enrollment.claim_key)?),
            claim_name: enrollment.claim_name.clone(),
            sex: enrollment.sex,
            birth_date: civil_day(enrollment.birth_day),
            person: if enrollment.person.is_empty() { None } else { Some(Hex(uuid(&enrollment.person)?)) },
            entry_date: civil_day(enrollment.entry_day),
            approved_day: day_or_none(enrollment.approved_day),
            digest: Hex(digest(enrollment)),
        });
        Ok(())
    }

    /// Leaves out what the generation holds already, or holds newer.
    async fn keep_newer(&mut self, tx: &mut Tx, generation: i64) -> Result<(), Error> {
        if !self.persons.is_empty() {
            let ids: Vec<Uuid> = self.persons.iter().map(|row| row.person.0).collect();
            let known = store::person_versions(tx, generation, &ids).await?;
            self.persons.retain(|row| known.get(&row.person.0).is_none_or(|version| row.version > *version));
            let newer: HashSet<Uuid> = self.persons.iter().map(|row| row.person.0).collect();
            self.keys.retain(|row| newer.contains(&row.person.0));
            self.names.retain(|row| newer.contains(&row.person.0));
        }
        if !self.enrollments.is_empty() {
            let ids: Vec<Uuid> = self.enrollments.iter().map(|row| row.enrollment.0).collect();
            let known = store::enrollment_versions(tx, generation, &ids).await?;
            self.enrollments.retain(|row| known.get(&row.enrollment.0).is_none_or(|version| row.version > *version));
            let newer: HashSet<Uuid> = self.enrollments.iter().map(|row| row.enrollment.0).collect();
            self.periods.retain(|row| newer.contains(&row.enrollment.0));
        }
        Ok(())
    }

    /// Writes what is newer than what the generation holds. Returns the keys touched, before and after.
    async fn write(mut self, tx: &mut Tx, generation: i64) -> Result<Vec<Uuid>, Error> {
        store::upsert_schools(tx, generation, &self.schools).await?;
        self.keep_newer(tx, generation).await?;
        if self.persons.is_empty() && self.enrollments.is_empty() {
            return Ok(Vec::new());
        }
        let persons: Vec<Uuid> = self.persons.iter().map(|row| row.person.0).collect();
        let enrollments: Vec<Uuid> = self.enrollments.iter().map(|row| row.enrollment.0).collect();
        let mut touched = store::keys_of(tx, generation, &persons, &enrollments).await?;
        store::replace_persons(tx, generation, &persons, &self.persons, &self.keys, &self.names).await?;
        store::replace_enrollments(tx, generation, &enrollments, &self.enrollments, &self.periods).await?;
        let mut vouched = persons.clone();
        vouched.extend(self.enrollments.iter().filter_map(|row| row.person.map(|person| person.0)));
        vouched.sort_unstable();
        vouched.dedup();
        renew_vouches(tx, generation, &vouched).await?;
        touched.extend(store::keys_of(tx, generation, &persons, &enrollments).await?);
        touched.sort_unstable();
        touched.dedup();
        Ok(touched)
    }
}

/// Makes the vouches of these persons anew. Each table is read by its own index and joined here: whatever statistics a
/// planner has, as while a generation is loaded, the work stays that of these persons.
async fn renew_vouches(tx: &mut Tx, generation: i64, persons: &[Uuid]) -> Result<(), Error> {
    let ids = json_uuids(persons.iter().copied());
    let undoubted: HashSet<Uuid> = store::undoubted(tx, generation, &ids).await?.into_iter().collect();
    let keys: HashMap<Uuid, Uuid> = store::present_keys(tx, generation, &ids).await?.into_iter().collect();
    let names: HashMap<Uuid, String> = store::present_names(tx, generation, &ids).await?.into_iter().collect();
    let places: HashMap<Uuid, (Uuid, String, chrono::NaiveDate)> = store::approved_places(tx, generation, &ids)
        .await?
        .into_iter()
        .filter(|(_, person, ..)| undoubted.contains(person))
        .map(|(enrollment, person, school, approved)| (enrollment, (person, school, approved)))
        .collect();
    let periods = store::periods_in_school(tx, generation, &json_uuids(places.keys().copied())).await?;
    let vouches: Vec<store::VouchRow> = periods
        .into_iter()
        .filter_map(|(enrollment, ordinal, from_date, to_date)| {
            let (person, school, approved_day) = places.get(&enrollment)?;
            Some(store::VouchRow {
                person_key: Hex(*keys.get(person)?),
                enrollment: Hex(enrollment),
                ordinal,
                person: Hex(*person),
                school: school.clone(),
                name_comparable: names.get(person)?.clone(),
                from_date,
                // An open period ends beyond all calendars.
                to_date: to_date.or_else(|| chrono::NaiveDate::from_ymd_opt(9999, 12, 31)).unwrap_or_default(),
                approved_day: *approved_day,
            })
        })
        .collect();
    store::replace_vouches(tx, generation, &ids, &vouches).await?;
    Ok(())
}

impl Mirror for AidMirror {
    async fn cursor(&self) -> Result<Option<Cursor>, Error> {
        let mut tx = self.0.runner.db().read().await?;
        let state = store::state(&mut tx).await?;
        tx.rollback().await?;
        Ok(state.history.map(|history| Cursor { history, scope: state.scope, position: state.position, change: state.change.unwrap_or_default() }))
    }

    async fn begin_generation(&self) -> Result<i64, Error> {
        self.0
            .runner
            .db()
            .write(&(), |tx, ()| {
                Box::pin(async move {
                    // What an attempt before left half loaded serves nobody.
                    let present = store::locked_state(tx).await?.generation;
                    store::drop_other_generations(tx, present).await?;
                    Ok::<_, Error>(store::next_generation(tx).await?)
                })
            })
            .await
    }

    async fn load(&self, generation: i64, records: &[pb::Record]) -> Result<(), Error> {
        let with = (generation, records.to_vec());
        self.0
            .runner
            .db()
            .write(&with, |tx, (generation, records)| {
                Box::pin(async move {
                    only_loader(&store::held_state(tx).await?, *generation)?;
                    Sorted::of(records)?.write(tx, *generation).await?;
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    /// Makes a generation the present one and marks everyone who differs; they are judged in chunks after it.
    async fn switch(&self, generation: i64, cursor: &Cursor) -> Result<(), Error> {
        let with = (generation, cursor.clone());
        let marked = self
            .0
            .runner
            .db()
            .write(&with, |tx, (generation, cursor)| {
                Box::pin(async move {
                    let state = store::locked_state(tx).await?;
                    only_loader(&state, *generation)?;
                    let marked = store::mark_differences(tx, state.generation, *generation).await?;
                    reconciliation::carry_subjects(tx, state.generation, *generation).await?;
                    store::switch(tx, *generation, cursor).await?;
                    store::drop_other_generations(tx, *generation).await?;
                    Ok::<_, Error>(marked)
                })
            })
            .await?;
        tracing::info!(generation, marked, "mirror switched to a fresh generation");
        // All of it is new to the planner.
        self.0.runner.db().analyze().await?;
        self.0.runner.committed().notify_waiters();
        Ok(())
    }

    /// Applies a batch, moves the cursor and judges whom the batch touched: one transaction.
    async fn apply(&self, from: &Cursor, to: &Cursor, records: &[pb::Record]) -> Result<bool, Error> {
        let ctx = self.0.runner.system_context();
        let with = (self.0.clone(), ctx, from.clone(), to.clone(), records.to_vec());
        let applied = self
            .0
            .runner
            .db()
            .write(&with, |tx, (parts, ctx, from, to, records)| {
                Box::pin(async move {
                    if !store::move_cursor(tx, from, to).await? {
                        return Ok(false);
                    }
                    let generation = store::state(tx).await?.generation;
                    let touched = Sorted::of(records)?.write(tx, generation).await?;
                    reconciliation::judge_keys(ctx, tx, parts, &touched, "feed").await?;
                    Ok::<_, Error>(true)
                })
            })
            .await?;
        metrics::counter!("xuezhu_feed_records_total").increment(records.len() as u64);
        Ok(applied)
    }
}

/// Of two followers who load at once, the later goes on: it threw away what the earlier had loaded.
fn only_loader(state: &store::StateRow, generation: i64) -> Result<(), Error> {
    if state.last_generation == generation { Ok(()) } else { Err(Error::Internal("another follower of this mirror has begun a newer generation".into())) }
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
