//! 学籍异动: leave, return, withdrawal; and correction of identity by the department.

mod identity;
mod store;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::{Change, PeriodState, State, after, check_effective};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

pub use self::identity::{Correction, correct_identity};
// What other capabilities may ask.
pub(crate) use self::{identity::claim_present_identity, store::periods};
use crate::{directory, registration, sharing};

/// A change of status to be recorded.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happens.
    pub change: Change,
    /// School.
    pub school: String,
    /// Enrollment.
    pub enrollment: Uuid,
    /// First day in the new state.
    pub effective: NaiveDate,
    /// Why.
    pub reason: String,
}

/// Records that a student takes leave, returns or withdraws. It may be recorded late: that changes the past, and is shared as such.
pub async fn record(ctx: &Context, tx: &mut Tx, event: &Event) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, &event.school, Permission::EnterForSchool).await?;
    let row = store::lock(tx, &school.code, event.enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let state = State::parse(&row.state).ok_or(StoreError::Corrupt("state"))?;
    // Of what lies ahead the last counts: what comes after it must fit it.
    let last = row.state_since;
    let ahead = last.filter(|last| *last > ctx.today()).map(|last| format!("（已登记自{last}起）；如要改在此前办理，请先撤销该项异动")).unwrap_or_default();
    let next = after(state, event.change).ok_or_else(|| Refusal::wrong_state(format!("当前为“{}”，不能办理{}{ahead}", state.name(), event.change.name())))?;
    let last = last.ok_or(StoreError::Corrupt("first day of a state"))?;
    check_effective(last, event.effective, ctx.today()).map_err(|error| Refusal::field("effective_date", format!("{error}{ahead}")))?;
    store::end_period(tx, event.enrollment, event.effective).await?;
    store::add_period(ctx, tx, event, period_state(next)).await?;
    store::set_state(ctx, tx, event.enrollment, next.as_str(), event.effective).await?;
    if next == State::Withdrawn {
        store::leave_place(tx, event.enrollment).await?;
    }
    sharing::share_enrollments(ctx, tx, &[event.enrollment]).await
}

/// Takes back the last change that was recorded ahead: on its day it is too late. Who took it back, and why, is kept.
pub async fn cancel(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid, reason: &str) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let row = store::lock(tx, &school.code, enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let periods = store::periods(tx, enrollment).await?;
    let [.., before, last] = &periods[..] else { return Err(nothing_ahead().into()) };
    if last.from_date <= ctx.today() {
        return Err(nothing_ahead().into());
    }
    let person = row.person.ok_or(StoreError::Corrupt("person of an approved enrollment"))?;
    if last.state == PeriodState::Withdrawn.code() {
        take_place_again(tx, &school.code, enrollment, person, last.from_date).await?;
    }
    store::cancel_last_period(ctx, tx, enrollment, reason).await?;
    let state = PeriodState::from_code(before.state);
    store::set_state(ctx, tx, enrollment, state.as_str(), before.from_date).await?;
    sharing::share_enrollments(ctx, tx, &[enrollment]).await
}

fn nothing_ahead() -> Refusal {
    Refusal::wrong_state("没有尚未生效的异动可以撤销；已生效的异动不能撤销，请按实际情况另行办理")
}

/// Whoever was to leave stays, unless somebody has counted on it.
async fn take_place_again(tx: &mut Tx, school: &str, enrollment: Uuid, person: Uuid, from: NaiveDate) -> Result<(), Error> {
    store::lock_person(tx, person).await?;
    if store::place_of(tx, person).await?.is_some() || store::is_enrolled_beyond(tx, person, enrollment, from).await? {
        return Err(Refusal::new(Reason::PlaceTaken, "该生已按登记的离校日期在另一所学校（或本校另一条记录）取得学籍，不能撤销").into());
    }
    let key = store::identity(tx, person).await?.ok_or(StoreError::Corrupt("person"))?.person_key;
    if !registration::live_keys(tx, school, std::iter::once(key)).await?.is_empty() {
        return Err(Refusal::new(Reason::DuplicateRow, "本校已为该生另录一条记录：请先删除或退回那一条，再撤销").into());
    }
    Ok(store::take_place(tx, person, enrollment).await?)
}

fn period_state(state: State) -> PeriodState {
    match state {
        State::OnLeave => PeriodState::OnLeave,
        State::Withdrawn => PeriodState::Withdrawn,
        _ => PeriodState::InSchool,
    }
}
