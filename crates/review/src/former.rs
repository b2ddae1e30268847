//! Dossiers of before: taken over, once, from a database that kept such things otherwise. What is not known stays unknown: an empty
//! account, no day.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::Error;
use xuezhu_store::{Bytes, Hex, Tx};

use crate::{
    Dossier, Item, OfSchool, count,
    kind::About,
    store::{self, ActRow, FormerAct, NewItem, NewStep, RefusedItem},
    way::{self, Act, ItemState, Stand, State},
};

/// An item of a dossier of before.
#[derive(Debug, Clone)]
pub struct FormerItem {
    /// What is known of it, as it is now: its content is frozen so.
    pub item: Item,
    /// Whether it was performed; else it waits.
    pub performed: bool,
    /// Why it could not be performed; empty where nothing is known against it.
    pub refusal: String,
}

/// A dossier of before. Items that left it are unknown, and not among its items.
#[derive(Debug)]
pub struct Former<'f> {
    /// Its id, then as now.
    pub dossier: Uuid,
    /// Of which kind.
    pub kind: &'static About,
    /// Of which school.
    pub school: OfSchool<'f>,
    /// What all of its items belong to.
    pub subject: Option<Uuid>,
    /// The desks over which it went.
    pub stands: Vec<Stand>,
    /// At which of them it waits, or waited last.
    pub step: usize,
    /// Civil day since which it waits there.
    pub since_day: NaiveDate,
    /// Civil day on which it was submitted.
    pub submitted_day: NaiveDate,
    /// Its items.
    pub items: Vec<FormerItem>,
    /// What is known of its history; it begins with its submission.
    pub acts: Vec<ActRow>,
}

/// Takes a dossier of before over.
pub async fn take_over(tx: &mut Tx, former: Former<'_>) -> Result<(), Error> {
    let performed = former.items.iter().filter(|item| item.performed).count();
    let waiting = former.items.len() - performed;
    let state = match (waiting, performed) {
        (0, 0) => State::Returned,
        (0, _) => State::Done,
        _ => State::UnderWay,
    };
    let stand = former.stands.get(former.step).ok_or_else(|| Error::Internal("a dossier of before at no desk".into()))?;
    let open = state == State::UnderWay;
    let (seat, above) = (stand.seat.to_string(), stand.seat.above(former.school.authority).map(|seat| seat.to_string()));
    // A signature that must be given again is none.
    let signed = |act: &&ActRow| act.act == Act::Sign && (performed > 0 || !open || usize::try_from(act.step).is_ok_and(|step| step < former.step));
    let begun = former.acts.first();
    let dossier = Dossier {
        dossier: former.dossier,
        kind: former.kind.code,
        school: former.school.code.to_owned(),
        authority: former.school.authority.to_owned(),
        subject: former.subject,
        title: former.kind.name.to_owned(),
        state,
        step: count(former.step),
        waits_at: if open { seat } else { String::new() },
        above: if open { above.unwrap_or_default() } else { String::new() },
        since_day: former.since_day,
        working_days: i32::try_from(stand.working_days).unwrap_or(i32::MAX),
        signatures: count(former.acts.iter().filter(signed).count()),
        holder: String::new(),
        holder_name: String::new(),
        nudged_day: None,
        nudges: 0,
        enclosed: String::new(),
        digest: way::digest(former.items.iter().map(|row| (row.item.id, &row.item.content_hash[..]))),
        waiting: count(waiting),
        performed: count(performed),
        left_count: 0,
        submitted_by: begun.map(|act| act.account.clone()).unwrap_or_default(),
        submitted_by_name: begun.map(|act| act.name.clone()).unwrap_or_default(),
        submitted_day: former.submitted_day,
        submitted_at_us: begun.map_or(0, |act| act.at_us),
        ended_day: None,
        acts: count(former.acts.len()),
    };
    store::insert_dossier(tx, &dossier).await?;
    store::save(tx, &dossier).await?;
    let steps = (0..).zip(&former.stands).map(|(step, stand)| NewStep {
        step,
        seat: stand.seat.to_string(),
        duty: stand.duty.code(),
        working_days: i32::try_from(stand.working_days).unwrap_or(i32::MAX),
    });
    store::insert_steps(tx, dossier.dossier, &steps.collect::<Vec<_>>()).await?;
    items(tx, dossier.dossier, &former).await?;
    let acts = former.acts.into_iter().map(|act| FormerAct {
        ordinal: act.ordinal,
        step: act.step,
        act: act.act.code(),
        account: act.account,
        name: act.name,
        role: act.role,
        day: act.day,
        at_us: act.at_us,
        reason: act.reason,
        digest: act.digest,
        items: act.items,
        performed: act.performed,
    });
    store::insert_acts(tx, dossier.dossier, &acts.collect::<Vec<_>>()).await?;
    Ok(())
}

async fn items(tx: &mut Tx, dossier: Uuid, former: &Former<'_>) -> Result<(), Error> {
    let rows = (0..).zip(&former.items).map(|(ordinal, row)| NewItem {
        item: Hex(row.item.id),
        ordinal,
        content_hash: Bytes(row.item.content_hash.clone()),
        name: row.item.name.clone(),
        line: serde_json::to_string(&row.item.line).unwrap_or_default(),
        class_name: row.item.class_name.clone(),
    });
    let rows: Vec<NewItem> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    store::insert_items(tx, dossier, &rows).await?;
    let performed: Vec<Uuid> = former.items.iter().filter(|row| row.performed).map(|row| row.item.id).collect();
    if !performed.is_empty() {
        let act = former.acts.iter().rfind(|act| act.performed > 0).map_or(-1, |act| act.ordinal);
        store::set_items(tx, dossier, &performed, ItemState::Performed, act, "").await?;
    }
    let refused = former.items.iter().filter(|row| !row.performed && !row.refusal.is_empty());
    let refused: Vec<RefusedItem> = refused.map(|row| RefusedItem { item: Hex(row.item.id), refusal: &row.refusal }).collect();
    Ok(store::set_refusals(tx, dossier, &refused).await?)
}
