//! What an import did to entries, taken back: who came onto the list goes off it, who was changed is again as they were.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_intake::{Effect, Fault, Placed, What};
use xuezhu_judge::entry::State;
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

use super::{Awards, Keyed};
use crate::{
    award::{
        rules::{Change, after},
        store::{self, Before, Entered, EntryRow, Recorded},
        units,
    },
    reconciliation::judge_keys,
};

/// An entry as it stood, to be written again.
fn entered(before: Before) -> (Entered, Recorded) {
    let recorded = Recorded { entry: Hex(before.entry), day: before.recorded_day, at_us: before.recorded_at_us, account: before.recorded_by };
    let entered = Entered {
        entry: Hex(before.entry),
        person_key: Hex(before.person_key),
        id_document: before.id_document,
        id_sealed: Bytes(before.id_sealed),
        name: before.name,
        name_comparable: before.name_comparable,
        sex: before.sex,
        birth_date: before.birth_date,
        months: before.months,
        first_day: before.first_day,
        last_day: before.last_day,
        amount_fen: before.amount_fen,
        month_fen: before.month_fen,
        tier: before.tier,
        card_sealed: before.card_sealed.map(Bytes),
        remark: before.remark,
        content_hash: Bytes(before.content_hash),
    };
    (entered, recorded)
}

/// Notes with rows that change an entry what stands in it.
pub async fn note_before(tx: &mut Tx, placed: &mut [Placed<Keyed>]) -> Result<(), Error> {
    let changed: Vec<Uuid> = placed.iter().filter_map(|placed| if let What::Changed { item, .. } = &placed.what { Some(*item) } else { None }).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let standing: HashMap<Uuid, Before> = store::before(tx, &changed).await?.into_iter().map(|before| (before.entry, before)).collect();
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
        let now = standing.get(&effect.item);
        if let Some(why) = stays(now, effect) {
            kept.push((effect.item, Fault::new("", "", "NOT_TAKEN_BACK", why)));
            continue;
        }
        touched.extend(now.map(|now| now.person_key));
        match &effect.before {
            None => gone.push(effect.item),
            Some(before) => again.push(serde_json::from_slice::<Before>(before).map_err(|_| StoreError::Corrupt("what stood before an import"))?),
        }
    }
    touched.extend(again.iter().map(|before| before.person_key));
    if !gone.is_empty() {
        store::set_states(tx, &gone, State::Removed, "").await?;
        units::remove(tx, &gone).await?;
    }
    if !again.is_empty() {
        let mut sent_back: HashMap<String, Vec<Uuid>> = HashMap::new();
        for before in again.iter().filter(|before| before.state == State::SentBack.code()) {
            sent_back.entry(before.sent_back_reason.clone()).or_default().push(before.entry);
        }
        let (entered, recorded): (Vec<Entered>, Vec<Recorded>) = again.into_iter().map(entered).unzip();
        store::update_entries(ctx, tx, &entered).await?;
        store::recorded_again(tx, &recorded).await?;
        units::enter_again(ctx, tx, &list, &entered).await?;
        for (reason, entries) in sent_back {
            store::set_states(tx, &entries, State::SentBack, &reason).await?;
        }
    }
    crate::award::settle(tx, of.list).await?;
    judge_keys(ctx, tx, &of.parts, &touched, "list").await?;
    Ok(kept)
}

/// Why an entry stays as it is.
fn stays(now: Option<&EntryRow>, effect: &Effect) -> Option<String> {
    let Some(now) = now else { return Some("该生已从名单中移除，没有可撤回的内容".to_owned()) };
    let change = if effect.before.is_some() { Change::Edit } else { Change::Remove };
    if after(now.state, change).is_none() {
        return Some(format!("“{}”在名单中为“{}”，不能撤回；请先由审核方退回", now.name, now.state.name()));
    }
    (now.content_hash != effect.content).then(|| format!("“{}”在这次导入之后又改过，不能撤回；请在名单中处理", now.name))
}
