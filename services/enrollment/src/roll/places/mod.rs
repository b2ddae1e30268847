//! Places and what is dated of them.

mod store;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{codes::Major, enrollment::State};
use xuezhu_service::{Context, Error, Reason, Refusal};
use xuezhu_store::{Hex, Tx};

use super::{
    Claim, classes, drafts,
    persons::{self, Entrant},
};
use crate::{Parts, sharing};

// What other capabilities may ask.
pub use self::store::LockedRow;
pub(crate) use self::store::{is_enrolled_beyond, lock, of_person, periods};

/// Whom a place is for.
#[derive(Debug)]
pub enum Who {
    /// Somebody who is approved for the first time.
    New(Entrant),
    /// A person who was here before.
    Known(Uuid),
}

/// A place to be given.
#[derive(Debug)]
pub struct Placing<'c> {
    /// What the enrollment claims.
    pub claim: &'c Claim,
    /// For whom.
    pub who: Who,
    /// Its first day.
    pub entry: NaiveDate,
}

/// A change of what is dated: what is not said stays.
#[derive(Debug)]
pub struct Move<'m> {
    /// Of which enrollment.
    pub enrollment: Uuid,
    /// First day on which it holds, after the last change.
    pub from: NaiveDate,
    /// What the student is from then on.
    pub state: Option<State>,
    /// The class.
    pub class_name: Option<&'m str>,
    /// The major.
    pub major: Option<&'static Major>,
    /// What aid decides by.
    pub facts: Option<Facts<'m>>,
    /// Why; where it is not said, what is replaced goes on being for its own reason.
    pub reason: Option<&'m str>,
}

/// What aid decides by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// 户口性质.
    pub household: &'f str,
    /// 居住地类型.
    pub residence: &'f str,
    /// 户口所在地行政区划码.
    pub registered_region: &'f str,
    /// 城乡分类代码 of the registered address; empty where the school does not know it.
    pub urban_rural: &'f str,
    /// Groups that aid knows, joined by blanks.
    pub special_groups: &'f str,
}

/// Gives places: persons where there are none yet, the one valid place, the first period. Fails with a unique violation where
/// somebody was first.
pub async fn place(ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str, placings: Vec<Placing<'_>>) -> Result<(), Error> {
    if placings.is_empty() {
        return Ok(());
    }
    let (mut placed, mut new, mut known) = (Vec::with_capacity(placings.len()), Vec::new(), Vec::new());
    for Placing { claim, who, entry } in placings {
        let person = match who {
            Who::New(entrant) => {
                let person = ctx.new_id();
                new.push((person, claim, entrant));
                person
            }
            Who::Known(person) => {
                known.push((person, claim.enrollment));
                person
            }
        };
        placed.push(store::Placed { enrollment: Hex(claim.enrollment), person: Hex(person), entry_date: entry });
    }
    // Who comes back may be entered under a number that was changed since: what counts is the present one.
    for (person, enrollment) in known {
        persons::claim_present(ctx, tx, parts, person, &[enrollment]).await?;
    }
    persons::enter(ctx, tx, parts, region, new).await?;
    let taken = store::take(tx, &placed, ctx.now_us(), ctx.today(), &ctx.actor.account).await?;
    if usize::try_from(taken).ok() != Some(placed.len()) {
        return Err(Refusal::new(Reason::Conflict, "部分学生已不在待审核状态，请刷新后重试").into());
    }
    classes::open(ctx, tx, placed.iter().map(|row| row.enrollment.0)).await?;
    sharing::share_persons(ctx, tx, &placed.iter().map(|row| row.person.0).collect::<Vec<_>>()).await?;
    sharing::share_enrollments(ctx, tx, &placed.iter().map(|row| row.enrollment.0).collect::<Vec<_>>()).await
}

/// Changes what is dated, from a day on; whoever gives up the place by it, has none any more.
pub async fn change(ctx: &Context, tx: &mut Tx, parts: &Parts, moves: &[Move<'_>]) -> Result<(), Error> {
    let rows: Vec<store::Moved> = moves
        .iter()
        .map(|moved| store::Moved {
            enrollment: Hex(moved.enrollment),
            from_date: moved.from,
            state: moved.state.map(State::code),
            class_name: moved.class_name.map(str::to_owned),
            major: moved.major.map(Major::key),
            household: moved.facts.map(|facts| facts.household.to_owned()),
            residence: moved.facts.map(|facts| facts.residence.to_owned()),
            registered_region: moved.facts.map(|facts| facts.registered_region.to_owned()),
            urban_rural: moved.facts.map(|facts| facts.urban_rural.to_owned()),
            special_groups: moved.facts.map(|facts| facts.special_groups.to_owned()),
            reason: moved.reason.map(str::to_owned),
        })
        .collect();
    let begun = store::change(ctx, tx, &rows).await?;
    if usize::try_from(begun).ok() != Some(moves.len()) {
        return Err(Refusal::new(Reason::Conflict, "他人刚刚登记了同一学生的异动，请刷新后重试").into());
    }
    let leaves = |moved: &&Move| moved.state.is_some_and(|state| !state.meaning().occupies);
    let of_another_class = |moved: &&Move| moved.class_name.is_some() || moved.major.is_some();
    let left: Vec<Uuid> = moves.iter().filter(leaves).map(|moved| moved.enrollment).collect();
    let elsewhere: Vec<Uuid> = moves.iter().filter(of_another_class).map(|moved| moved.enrollment).collect();
    if !left.is_empty() {
        store::free(tx, &left).await?;
    }
    classes::open(ctx, tx, elsewhere.iter().copied()).await?;
    classes::close(tx, &[&left[..], &elsewhere].concat()).await?;
    if !elsewhere.is_empty() {
        keep_columns(tx, parts, moves, &elsewhere).await?;
    }
    sharing::share_enrollments(ctx, tx, &moves.iter().map(|moved| moved.enrollment).collect::<Vec<_>>()).await
}

/// Keeps class and major in the columns of the workbook too: else the right one would differ from what is there.
async fn keep_columns(tx: &mut Tx, parts: &Parts, moves: &[Move<'_>], elsewhere: &[Uuid]) -> Result<(), Error> {
    let details = drafts::details_of(tx, parts, elsewhere.iter().copied()).await?;
    let said = |moved: &Move| {
        let details = details.get(&moved.enrollment)?;
        let major = moved.major.map(|major| ("专业简称", as_typed(details, major)));
        let changed: Vec<(&str, &str)> = moved.class_name.map(|name| ("班级名称", name)).into_iter().chain(major).collect();
        Some((moved.enrollment, drafts::with_columns(details, &changed)))
    };
    drafts::keep_details(tx, parts, moves.iter().filter_map(said)).await
}

/// Takes back the last change of state, which lies ahead: the period before it goes on. What was taken back is kept, with who and why. Where
/// it gave up the place, that is taken again; the caller has seen that it is free.
pub async fn take_back(ctx: &Context, tx: &mut Tx, enrollment: Uuid, person: Uuid, reason: &str) -> Result<(), Error> {
    let periods = store::periods(tx, enrollment).await?;
    let [.., before, last] = &periods[..] else { return Err(Refusal::wrong_state("没有可以撤销的异动").into()) };
    let (before_state, last_state) = (super::state_of(before.state)?, super::state_of(last.state)?);
    if before_state.meaning().occupies && !last_state.meaning().occupies {
        store::take_again(tx, person, enrollment).await?;
    }
    store::take_back(ctx, tx, enrollment, last.from_date, reason).await?;
    // Since when the state holds that goes on: a period may have changed something else.
    let since = periods[..periods.len() - 1].iter().rev().take_while(|period| period.state == before.state).last().unwrap_or(before).from_date;
    store::set_present(ctx, tx, enrollment, before, since).await?;
    classes::open(ctx, tx, std::iter::once(enrollment)).await?;
    classes::close(tx, &[enrollment]).await?;
    sharing::share_enrollments(ctx, tx, &[enrollment]).await
}

/// A major as the school types it: some by name, some by code.
fn as_typed(details: &str, major: &'static Major) -> &'static str {
    let typed = details.lines().find_map(|line| line.strip_prefix("专业简称=")).unwrap_or_default();
    if !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit()) { major.code } else { major.name }
}

/// Voids a place from its first day: no day of it counts, and it is free.
pub async fn void(ctx: &Context, tx: &mut Tx, enrollment: Uuid, state: State, reason: &str) -> Result<(), Error> {
    store::void(ctx, tx, enrollment, state, reason).await?;
    store::free(tx, &[enrollment]).await?;
    classes::close(tx, &[enrollment]).await?;
    sharing::share_enrollments(ctx, tx, &[enrollment]).await
}
