//! 学籍异动: leave, return, withdrawal; and correction of identity by the department.

mod identity;
mod store;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::{Change, PeriodState, State, after, check_effective};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::{StoreError, Tx};

pub use self::identity::{Correction, correct_identity};
// What other capabilities may ask.
pub(crate) use self::{identity::claim_present_identity, store::periods};
use crate::{directory, sharing};

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
    let next = after(state, event.change).ok_or_else(|| Refusal::wrong_state(format!("当前为“{}”，不能办理{}", state.name(), event.change.name())))?;
    let last = row.state_since.ok_or(StoreError::Corrupt("first day of a state"))?;
    check_effective(last, event.effective, ctx.today()).map_err(|error| Refusal::field("effective_date", error.to_string()))?;
    store::end_period(tx, event.enrollment, event.effective).await?;
    store::add_period(ctx, tx, event, period_state(next)).await?;
    store::set_state(ctx, tx, event.enrollment, next.as_str(), event.effective).await?;
    if next == State::Withdrawn {
        store::leave_place(tx, event.enrollment).await?;
    }
    sharing::share_enrollments(ctx, tx, &[event.enrollment]).await
}

fn period_state(state: State) -> PeriodState {
    match state {
        State::OnLeave => PeriodState::OnLeave,
        State::Withdrawn => PeriodState::Withdrawn,
        _ => PeriodState::InSchool,
    }
}
