//! What waits at whose desk, since when, until when, for whom one waits, and what was finished.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::calendar::{add_working_days, unknown_year};
use xuezhu_service::{Context, Error, Role, paging::Turn};
use xuezhu_store::{StoreError, Tx};

use crate::{
    Dossier,
    store::{self, ActAbout, ActRow, ClassRow, Counts, Filter, ItemRow, Signature},
    way::{ESCALATION_WORKING_DAYS, ItemState, Seat, Stand, State},
};

/// The seats of whoever calls, or at which they look on.
pub fn seats_of(ctx: &Context) -> Vec<Seat> {
    let whose = ctx.actor.organisation.clone();
    match ctx.actor.role {
        Role::SchoolClerk if ctx.stands_in() => vec![Seat::Clerk(whose.clone()), Seat::Principal(whose)],
        Role::SchoolClerk => vec![Seat::Clerk(whose)],
        Role::SchoolReviewer => vec![Seat::Review(whose)],
        Role::Principal => vec![Seat::Principal(whose)],
        // The head of a department sees what waits at its officers' desk too, and signs nothing there.
        Role::AuthorityHead => vec![Seat::Head(whose.clone()), Seat::Department(whose)],
        role if ctx.decides_here() || role == Role::DepartmentOfficer => vec![Seat::Department(whose)],
        _ => Vec::new(),
    }
}

/// The day until which a dossier may wait where it waits.
pub fn due_day(dossier: &Dossier) -> NaiveDate {
    add_working_days(dossier.since_day, u32::try_from(dossier.working_days).unwrap_or(0))
}

/// The year in which its term is counted by weekends alone, because nobody loaded a calendar; none where it is known.
pub fn uncounted_year(dossier: &Dossier) -> Option<i32> {
    unknown_year(dossier.since_day, due_day(dossier))
}

/// Whether it has waited so long that the level above is shown it.
pub fn is_escalated(dossier: &Dossier, today: NaiveDate) -> bool {
    dossier.state == State::UnderWay && add_working_days(dossier.since_day, ESCALATION_WORKING_DAYS) < today
}

/// The last day since which a dossier must have waited to be shown above.
fn escalation_day(today: NaiveDate) -> NaiveDate {
    // As many working days back: whoever has waited since then or longer is over the term.
    let mut day = today - Days::new(1);
    while add_working_days(day, ESCALATION_WORKING_DAYS) >= today {
        day = day - Days::new(1);
    }
    day
}

/// A place in a list of what waits.
pub type After = (NaiveDate, Uuid);

/// Before everything.
pub fn beginning() -> After {
    (NaiveDate::default(), Uuid::nil())
}

/// What waits at the desks of whoever calls, what waits longest first.
pub async fn mine(ctx: &Context, tx: &mut Tx, after: After, limit: i64) -> Result<Vec<Dossier>, Error> {
    Ok(store::waiting_at(tx, &keys(ctx), after, limit).await?)
}

/// What has waited too long one level below.
pub async fn below(ctx: &Context, tx: &mut Tx, after: After, limit: i64) -> Result<Vec<Dossier>, Error> {
    Ok(store::waiting_below(tx, &keys(ctx), escalation_day(ctx.today()), after, limit).await?)
}

/// What a school waits for, newest first.
pub async fn asked(tx: &mut Tx, school: &str, limit: i64) -> Result<Vec<Dossier>, Error> {
    Ok(store::under_way_of(tx, school, limit).await?)
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Dossiers at my desks.
    pub dossiers: i64,
    /// Items in them that wait.
    pub items: i64,
    /// Dossiers that have waited too long one level below.
    pub below: i64,
}

/// How much waits for whoever calls, in one read.
pub async fn counts(ctx: &Context, tx: &mut Tx) -> Result<Waiting, Error> {
    let (dossiers, items, below) = store::waiting_counts(tx, &keys(ctx), escalation_day(ctx.today())).await?;
    Ok(Waiting { dossiers, items, below })
}

fn keys(ctx: &Context) -> Vec<String> {
    seats_of(ctx).iter().map(ToString::to_string).collect()
}

/// Dossiers that are asked for, newest first.
pub async fn search(tx: &mut Tx, filter: &Filter, turn: &Turn<Uuid>) -> Result<Vec<Dossier>, Error> {
    Ok(store::dossiers(tx, filter, turn).await?)
}

/// How many dossiers are asked for.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, Error> {
    Ok(store::count(tx, filter).await?)
}

/// The dossier of the same kind that the school submitted before one, and did not take back.
pub async fn previous(tx: &mut Tx, dossier: &Dossier) -> Result<Option<Uuid>, Error> {
    Ok(store::previous(tx, dossier).await?)
}

/// One dossier, with its steps and its history.
pub async fn one(tx: &mut Tx, dossier: Uuid) -> Result<Option<(Dossier, Vec<Stand>, Vec<ActRow>)>, Error> {
    let Some(found) = store::dossier(tx, dossier).await? else { return Ok(None) };
    let (stands, acts) = (store::stands(tx, dossier).await?, store::acts(tx, dossier).await?);
    Ok(Some((found, stands, acts)))
}

/// A dossier alone.
pub async fn bare(tx: &mut Tx, dossier: Uuid) -> Result<Option<Dossier>, Error> {
    Ok(store::dossier(tx, dossier).await?)
}

/// Why a dossier was submitted or ordered.
pub async fn reason(tx: &mut Tx, dossier: Uuid) -> Result<String, Error> {
    Ok(store::reason(tx, dossier).await?)
}

/// The desks of dossiers, in their order.
pub async fn desks(tx: &mut Tx, dossiers: &[Uuid]) -> Result<HashMap<Uuid, Vec<Stand>>, Error> {
    let mut desks = HashMap::<Uuid, Vec<Stand>>::new();
    for (dossier, stand) in store::desks(tx, dossiers).await? {
        desks.entry(dossier).or_default().push(stand);
    }
    Ok(desks)
}

/// The signatures under dossiers, each dossier's in order.
pub async fn signatures(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<Signature>, Error> {
    Ok(store::signatures(tx, dossiers).await?)
}

/// Items of a dossier that wait because they could not be performed, each with its reason.
pub async fn refused(tx: &mut Tx, dossier: Uuid) -> Result<Vec<(Uuid, String)>, Error> {
    Ok(store::refused(tx, dossier).await?)
}

/// A page of a dossier's sheet, as it was submitted: lines in this state, of this class where one is named.
pub async fn sheet(tx: &mut Tx, dossier: Uuid, of: (Option<ItemState>, &str), turn: &Turn<i32>) -> Result<Vec<ItemRow>, Error> {
    Ok(store::sheet(tx, dossier, of, turn).await?)
}

/// How many lines these are.
pub async fn lines(tx: &mut Tx, dossier: Uuid, of: (Option<ItemState>, &str)) -> Result<i64, Error> {
    Ok(store::lines(tx, dossier, of).await?)
}

/// A sheet by class.
pub async fn classes(tx: &mut Tx, dossier: Uuid) -> Result<Vec<ClassRow>, Error> {
    Ok(store::classes(tx, dossier).await?)
}

/// What was performed in the dossiers of a kind about these, by class.
pub async fn performed_by_class(tx: &mut Tx, kind: i32, subjects: &[Uuid]) -> Result<HashMap<String, i64>, Error> {
    Ok(store::performed_by_class(tx, kind, subjects).await?.into_iter().collect())
}

/// Where the items of a dossier stand, counted anew.
pub async fn counted(tx: &mut Tx, dossier: Uuid) -> Result<Counts, Error> {
    Ok(store::counted(tx, dossier).await?)
}

/// Those of these items that wait in a dossier of a kind, and in which.
pub async fn under_way(tx: &mut Tx, kind: i32, items: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, Error> {
    Ok(store::under_way(tx, kind, items).await?)
}

/// Where items stand in the dossiers of a kind, by item and dossier.
pub async fn standing_items(tx: &mut Tx, kind: i32, items: &[Uuid]) -> Result<HashMap<(Uuid, Uuid), ItemState>, Error> {
    let found = store::standing_items(tx, kind, items).await?;
    let state = |(item, dossier, state): (Uuid, Uuid, i32)| Ok(((item, dossier), state.try_into().map_err(|_| StoreError::Corrupt("state of an item"))?));
    Ok(found.into_iter().map(state).collect::<Result<_, StoreError>>()?)
}

/// Dossiers of a kind about these that wait, oldest first.
pub async fn open_about(tx: &mut Tx, kind: i32, subjects: &[Uuid]) -> Result<Vec<Dossier>, Error> {
    Ok(store::open_about(tx, kind, subjects).await?)
}

/// Who submitted and signed the dossiers of a kind about these, in order.
pub async fn acts_about(tx: &mut Tx, kind: i32, subjects: &[Uuid]) -> Result<Vec<ActAbout>, Error> {
    Ok(store::acts_about(tx, kind, subjects).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_above_is_what_is_over_the_term() {
        let today = NaiveDate::from_ymd_opt(2026, 10, 20).expect("a date");
        let last = escalation_day(today);
        for days in 0..60 {
            let since = today - Days::new(days);
            assert_eq!(since <= last, add_working_days(since, ESCALATION_WORKING_DAYS) < today, "{since}");
        }
    }
}
