//! What an import did to entries, taken back: who came onto the list goes off it, who was changed is again as they were.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_intake::{Effect, Fault, GONE, KEPT, Placed, What};
use xuezhu_judge::entry::State;
use xuezhu_judge::policy::Paid;
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::{StoreError, Tx};

use super::{Awards, Keyed};
use crate::{
    award::{
        rules::{Change, after},
        store::{self, Before, Entered, EntryRow, ListRow, Recorded},
        units,
    },
    reconciliation::judge_keys,
};

/// Notes with rows that change an entry what stands in it.
pub async fn note_before(tx: &mut Tx, placed: &mut [Placed<Keyed>]) -> Result<(), Error> {
    let changed: Vec<Uuid> = placed.iter().filter_map(|placed| if let What::Changed { item, .. } = &placed.what { Some(*item) } else { None }).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let standing: HashMap<Uuid, Before> = store::before(tx, &changed).await?.into_iter().map(|before| (before.row.entry.0, before)).collect();
    for placed in placed {
        if let What::Changed { item, before, .. } = &mut placed.what
            && let Some(stands) = standing.get(item)
        {
            *before = serde_json::to_vec(stands).map_err(|error| Error::Internal(error.to_string()))?;
        }
    }
    Ok(())
}

/// Takes back what can be: entries that are the clerk's still and hold what was written.
pub async fn take_back(of: &Awards, ctx: &Context, tx: &mut Tx, effects: &[Effect]) -> Result<Vec<(Uuid, Fault)>, Error> {
    let list = crate::award::locked(ctx, tx, &of.school, of.list, Permission::EnterForSchool).await?;
    let ids: Vec<Uuid> = effects.iter().map(|effect| effect.item).collect();
    let standing: HashMap<Uuid, EntryRow> = store::entries_of(tx, &ids).await?.into_iter().map(|row| (row.entry, row)).collect();
    let (mut gone, mut again, mut kept, mut touched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for effect in effects {
        match stays(standing.get(&effect.item), effect) {
            Err(fault) => kept.push((effect.item, fault)),
            Ok(now) => {
                touched.push(now.person_key);
                match &effect.before {
                    None => gone.push(effect.item),
                    Some(before) => {
                        let mut before: Before = serde_json::from_slice(before).map_err(|_| StoreError::Corrupt("what stood before an import"))?;
                        if now.state == State::SentBack {
                            // A desk sent it back since: that stays said, whatever is written.
                            (before.state, before.sent_back_reason) = (now.state.code(), now.sent_back_reason.clone());
                        }
                        of.find_by_card(&mut before.row);
                        again.push(before);
                    }
                }
            }
        }
    }
    touched.extend(again.iter().map(|before| before.row.person_key.0));
    touched.extend(store::keys_of_their_cards(tx, &ids).await?);
    if !gone.is_empty() {
        store::set_states(ctx, tx, &gone, State::Removed, "").await?;
        units::remove(tx, &gone).await?;
    }
    let paid = crate::award::terms(&of.parts, &list)?.paid;
    write_again(ctx, tx, (&list, paid), again).await?;
    crate::award::settle(tx, of.list).await?;
    let touched = crate::award::with_their_cards(tx, &ids, touched).await?;
    judge_keys(ctx, tx, &of.parts, &touched, "list").await?;
    Ok(kept)
}

/// Writes entries again as they were.
async fn write_again(ctx: &Context, tx: &mut Tx, (list, paid): (&ListRow, Paid), again: Vec<Before>) -> Result<(), Error> {
    if again.is_empty() {
        return Ok(());
    }
    let mut sent_back: HashMap<String, Vec<Uuid>> = HashMap::new();
    for before in again.iter().filter(|before| before.state == State::SentBack.code()) {
        sent_back.entry(before.sent_back_reason.clone()).or_default().push(before.row.entry.0);
    }
    let recorded =
        |before: &Before| Recorded { entry: before.row.entry, day: before.recorded_day, at_us: before.recorded_at_us, account: before.recorded_by.clone() };
    let recorded: Vec<Recorded> = again.iter().map(recorded).collect();
    let entered: Vec<Entered> = again.into_iter().map(|before| before.row).collect();
    store::lock_cards(tx, &entered.iter().filter_map(|row| row.card_key.as_ref().map(|card| card.0)).collect::<Vec<_>>()).await?;
    store::update_entries(ctx, tx, &entered).await?;
    store::recorded_again(tx, &recorded).await?;
    units::enter_again(ctx, tx, list, paid, &entered).await?;
    for (reason, entries) in sent_back {
        store::set_states(ctx, tx, &entries, State::SentBack, &reason).await?;
    }
    Ok(())
}

/// An entry that can be taken back; else why it stays as it is.
fn stays<'s>(now: Option<&'s EntryRow>, effect: &Effect) -> Result<&'s EntryRow, Fault> {
    let Some(now) = now else { return Err(Fault::new("", "", GONE, "该生已从名单中移除，没有可撤回的内容")) };
    let change = if effect.before.is_some() { Change::Edit } else { Change::Remove };
    let kept = |why: String| Err(Fault::new("", "", KEPT, why));
    if after(now.state, change).is_none() {
        kept(format!("“{}”在名单中为“{}”，不能撤回；请先由审核方退回", now.name, now.state.name()))
    } else if now.content_hash != effect.content {
        kept(format!("“{}”在这次导入之后又改过，不能撤回；请在名单中处理", now.name))
    } else {
        Ok(now)
    }
}
