//! 学籍异动: leave, return, withdrawal, another class or major, never having come; and correction of identity by the department.
//! What is decided here, the roll writes.

pub mod api;
mod identity;
pub mod never_came;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::{Change, after, check_effective};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

pub use self::identity::{Correction, correct_identity};
use crate::{
    Parts, directory,
    roll::{
        self, persons,
        places::{self, LockedRow, Move},
    },
};

/// What is recorded.
#[derive(Debug, Clone)]
pub enum What {
    /// A change of status.
    Status(Change),
    /// Another class.
    Class(String),
    /// Another major, as `2010-010200`, and the class there; empty where the class stays.
    Major(String, String),
}

impl What {
    fn change(&self) -> Change {
        match self {
            Self::Status(change) => *change,
            Self::Class(_) => Change::ChangeClass,
            Self::Major(..) => Change::ChangeMajor,
        }
    }
}

/// A change to be recorded.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happens.
    pub what: What,
    /// School.
    pub school: String,
    /// Enrollment.
    pub enrollment: Uuid,
    /// First day on which it holds.
    pub effective: NaiveDate,
    /// Why.
    pub reason: String,
}

/// Records that a student takes leave, returns, withdraws, or goes to another class or major. It may be recorded late: that
/// changes the past, and is shared as such.
pub async fn record(ctx: &Context, tx: &mut Tx, parts: &Parts, event: &Event) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, &event.school, Permission::EnterForSchool).await?;
    let row = places::lock(tx, &school.code, event.enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let (change, state) = (event.what.change(), roll::state_of(row.state)?);
    // Of what lies ahead the last counts: what comes after it must fit it.
    let last = row.last_from;
    let ahead = ahead(ctx, last);
    let next = after(state, change).ok_or_else(|| Refusal::wrong_state(format!("当前为“{}”，不能办理{}{ahead}", state.name(), change.name())))?;
    let last = last.ok_or(StoreError::Corrupt("first day of a state"))?;
    // Who comes back from leave may come back to another class: both hold from one day. A first day is none of change.
    let beside = !matches!(event.what, What::Status(_)) && event.effective == last && last > row.entry_date;
    if !beside {
        check_effective(last, event.effective, ctx.today()).map_err(|error| Refusal::field("effective_date", format!("{error}{ahead}")))?;
    }
    if !matches!(event.what, What::Status(_)) && event.effective > ctx.today() {
        return Err(Refusal::field("effective_date", "调班、转专业请在生效之日或之后登记，不能晚于今天").into());
    }
    let moved =
        Move { enrollment: event.enrollment, from: event.effective, state: None, class_name: None, major: None, facts: None, reason: Some(&event.reason) };
    let moved = match &event.what {
        What::Status(_) => Move { state: Some(next), ..moved },
        What::Class(class) => Move { class_name: Some(other_class(&row, class)?), ..moved },
        What::Major(major, class) => {
            let registered = directory::majors(tx, &school.code).await?;
            let found = registered.iter().find(|known| known.major.key() == *major);
            let found = found.or_else(|| registered.iter().find(|known| format!("{}-{}", known.major.catalogue, known.major.code) == *major));
            let found = found.ok_or_else(|| Refusal::field("major", "不是本校备案的专业"))?;
            if let Some(why) = found.refusal(event.effective) {
                return Err(Refusal::field("major", why).into());
            }
            let found = found.major;
            if found.key() == row.major {
                return Err(Refusal::field("major", "该生已在该专业").into());
            }
            let class_name = if class.is_empty() || *class == row.class_name { None } else { Some(class.as_str()) };
            Move { major: Some(found), class_name, ..moved }
        }
    };
    places::change(ctx, tx, parts, &[moved]).await
}

/// What to know where something is recorded ahead.
fn ahead(ctx: &Context, last: Option<NaiveDate>) -> String {
    last.filter(|last| *last > ctx.today()).map(|last| format!("（已登记自{last}起）；如要改在此前办理，请先撤销该项异动")).unwrap_or_default()
}

fn other_class<'c>(row: &LockedRow, class: &'c str) -> Result<&'c str, Error> {
    if class == row.class_name { Err(Refusal::field("class_name", "该生已在该班级").into()) } else { Ok(class) }
}

/// Takes back the last change that was recorded ahead: on its day it is too late. Who took it back, and why, is kept.
pub async fn cancel(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid, reason: &str) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let row = places::lock(tx, &school.code, enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let periods = places::periods(tx, enrollment).await?;
    let [.., _, last] = &periods[..] else { return Err(nothing_ahead().into()) };
    if last.from_date <= ctx.today() {
        return Err(nothing_ahead().into());
    }
    let person = row.person.ok_or(StoreError::Corrupt("person of an approved enrollment"))?;
    if !roll::state_of(last.state)?.meaning().occupies {
        may_stay(tx, parts, &school.code, enrollment, person, last.from_date).await?;
    }
    places::take_back(ctx, tx, enrollment, person, reason).await
}

fn nothing_ahead() -> Refusal {
    Refusal::wrong_state("没有尚未生效的异动可以撤销；已生效的异动不能撤销，请按实际情况另行办理")
}

/// Whoever was to leave stays, unless somebody has counted on it.
async fn may_stay(tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid, person: Uuid, from: NaiveDate) -> Result<(), Error> {
    persons::lock_all(tx, std::iter::once(person)).await?;
    if places::of_person(tx, person).await?.is_some() || places::is_enrolled_beyond(tx, person, enrollment, from).await? {
        return Err(Refusal::new(Reason::PlaceTaken, "该生已按登记的离校日期在另一所学校（或本校另一条记录）取得学籍，不能撤销").into());
    }
    let key = persons::identity(tx, parts, person).await?.key;
    if !persons::live_keys(tx, school, std::iter::once(key)).await?.is_empty() {
        return Err(Refusal::new(Reason::DuplicateRow, "本校已为该生另录一条记录：请先删除或退回那一条，再撤销").into());
    }
    Ok(())
}
