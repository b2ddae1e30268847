//! What the source said and does not know any more: it was put back to an older copy. Old is kept beside new, whoever is
//! concerned is not approved, until the source says it again or the department decides: a withdrawal that a restore lost must
//! not free the money.

pub mod api;
mod store;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_bridge::Kind;
use xuezhu_domain::{UnknownCode, region};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::{Hex, Tx};

use self::store::{ForgottenRow, KeyRow, NewRow};
use crate::mirror::{
    self,
    told::{self, Told},
};

/// Where something forgotten stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Neither said again nor decided.
    Open,
    /// The source says it again.
    SaidAgain,
    /// The department let what the source says now hold.
    Decided,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::SaidAgain, Self::Decided];

    /// As stored. Queries and an index tell what is open by the code itself.
    pub const fn code(self) -> i32 {
        match self {
            Self::Open => 1,
            Self::SaidAgain => 2,
            Self::Decided => 3,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::SaidAgain => "SAID_AGAIN",
            Self::Decided => "DECIDED",
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of what was forgotten", code })
    }
}

/// The schools whose records somebody sees: their own, or those of the departments under theirs.
pub fn seen(ctx: &Context) -> (String, String) {
    if ctx.actor.role.is_of_school() {
        (ctx.actor.organisation.clone(), String::new())
    } else {
        (String::new(), region::prefix_or_all(&ctx.actor.organisation).to_owned())
    }
}

/// Keeps what was told before a switch of the mirror and is known to the source no more.
pub async fn keep(ctx: &Context, tx: &mut Tx, lost: Vec<Told>) -> Result<(), Error> {
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    for told in lost {
        let forgotten = ctx.new_id();
        keys.extend(told.keys.iter().map(|key| KeyRow { forgotten: Hex(forgotten), person_key: Hex(*key) }));
        rows.push(NewRow {
            forgotten: Hex(forgotten),
            kind: told.kind as i32,
            record: Hex(told.record),
            school: told.school,
            name: told.name,
            story: Hex(told.story),
            facts: serde_json::to_string(&told.facts).unwrap_or_default(),
        });
    }
    if rows.is_empty() {
        return Ok(());
    }
    tracing::error!(records = rows.len(), "the source does not know any more what it said of these records: approval of whom they concern waits");
    metrics::counter!("xuezhu_forgotten_records_total").increment(rows.len() as u64);
    store::insert(ctx, tx, &rows).await?;
    store::insert_keys(tx, &keys).await?;
    Ok(())
}

/// Ends what the source says again, of these keys, or of all where none are named. What is new of a school is looked at each time.
pub async fn settle(ctx: &Context, tx: &mut Tx, generation: i64, touched: Option<&[Uuid]>) -> Result<(), Error> {
    let open = store::open(tx).await?;
    if open.is_empty() {
        return Ok(());
    }
    let mut keys_of: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (forgotten, key) in store::open_keys(tx).await? {
        keys_of.entry(forgotten).or_default().push(key);
    }
    let touched: Option<HashSet<Uuid>> = touched.map(|keys| keys.iter().copied().collect());
    let looked_at = |keys: &Vec<Uuid>| touched.as_ref().is_none_or(|touched| keys.iter().any(|key| touched.contains(key)));
    let keys: Vec<Uuid> = keys_of.values().filter(|keys| looked_at(keys)).flatten().copied().collect();
    let said = told::stories(tx, generation, &keys).await?;
    let schools: Vec<String> = open.iter().filter(|row| row.kind == Kind::School as i32).map(|row| row.school.clone()).collect();
    let schools: HashSet<Uuid> = told::of(tx, generation, &[], &[], &schools).await?.into_iter().map(|told| told.story).collect();
    let again = |row: &&ForgottenRow| {
        if row.kind == Kind::School as i32 {
            schools.contains(&row.story)
        } else {
            keys_of.get(&row.forgotten).is_some_and(&looked_at) && said.contains(&row.story)
        }
    };
    let again: Vec<Uuid> = open.iter().filter(again).map(|row| row.forgotten).collect();
    if !again.is_empty() {
        store::end(ctx, tx, &again, State::SaidAgain, "").await?;
    }
    Ok(())
}

/// Entries of lists whose approval waits for something forgotten.
pub async fn concerned(tx: &mut Tx, lists: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    Ok(store::entries_concerned(tx, lists).await?.into_iter().collect())
}

/// How many records are open, of schools under departments.
pub async fn count(tx: &mut Tx, authority_prefix: &str, school: &str) -> Result<i64, Error> {
    Ok(store::count_open(tx, authority_prefix, school).await?)
}

/// The department lets what the source says now hold.
pub async fn decide(ctx: &Context, tx: &mut Tx, forgotten: Uuid, reason: &str) -> Result<ForgottenRow, Error> {
    let found = || Error::from(Refusal::not_found("该条记录"));
    if !store::lock(tx, forgotten).await? {
        return Err(found());
    }
    let row = store::one_row(tx, forgotten).await?.ok_or_else(found)?;
    if mirror::school_for(ctx, tx, &row.school, Permission::ReadSchool).await.is_err() {
        return Err(found());
    }
    mirror::school_for(ctx, tx, &row.school, Permission::Approve).await?;
    if row.state != State::Open {
        return Err(Refusal::wrong_state("该条记录已经处理").into());
    }
    store::end(ctx, tx, &[forgotten], State::Decided, reason).await?;
    store::one_row(tx, forgotten).await?.ok_or_else(found)
}

/// What the source says now in the place of what it forgot: under the same id, else of the same person at the same school.
async fn now(tx: &mut Tx, generation: i64, row: &ForgottenRow) -> Result<Option<Told>, Error> {
    let (school, person, enrollment) = (Kind::School as i32, Kind::Person as i32, Kind::Enrollment as i32);
    let same: Vec<Told> = if row.kind == school {
        told::of(tx, generation, &[], &[], std::slice::from_ref(&row.school)).await?
    } else if row.kind == person {
        told::of(tx, generation, &[row.record], &[], &[]).await?
    } else {
        told::of(tx, generation, &[], &[row.record], &[]).await?
    };
    if let Some(told) = same.into_iter().next() {
        return Ok(Some(told));
    }
    let keys = store::keys(tx, row.forgotten).await?;
    let beside = told::of_keys(tx, generation, &keys).await?;
    Ok(beside.into_iter().find(|told| told.kind as i32 == row.kind && (row.kind != enrollment || told.school == row.school)))
}
