//! What an import did to drafts, taken back: a new one goes, a changed one is again as it was.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_intake::{Effect, Fault, GONE, KEPT};
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use super::Students;
use crate::{
    registration,
    roll::{
        self,
        drafts::{Standing, Whole},
    },
};

/// What stood in a record before an import.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    row: Whole,
    /// Why it had been sent back, where it had.
    sent_back: Option<String>,
}

/// What stands in a record, to get back.
pub fn before(standing: &Standing) -> Result<Vec<u8>, Error> {
    let before = Before { row: standing.row.clone(), sent_back: standing.sent_back.clone() };
    serde_json::to_vec(&before).map_err(|error| Error::Internal(error.to_string()))
}

/// A record that gets back what stood there.
struct Again {
    item: Uuid,
    row: Whole,
    /// Why it is, or was, sent back.
    sent_back: Option<String>,
}

/// Takes back what can be: records that are drafts still and hold what was written.
pub async fn take_back(of: &Students, ctx: &Context, tx: &mut Tx, effects: &[Effect]) -> Result<Vec<(Uuid, Fault)>, Error> {
    let standing = roll::drafts::standing(tx, effects.iter().map(|effect| effect.item)).await?;
    let (mut gone, mut again, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for effect in effects {
        match stays(standing.get(&effect.item), effect) {
            Err(fault) => kept.push((effect.item, fault)),
            Ok(now) => match &effect.before {
                None => gone.push(effect.item),
                Some(before) => {
                    let Before { row, sent_back } = serde_json::from_slice(before).map_err(|_| StoreError::Corrupt("what stood before an import"))?;
                    // A desk sent it back since: that stays said, whatever is written.
                    again.push(Again { item: effect.item, row, sent_back: now.sent_back.clone().or(sent_back) });
                }
            },
        }
    }
    leave_taken(of, tx, &gone, &mut again, &mut kept).await?;
    roll::drafts::remove_all(tx, &of.school, &gone).await?;
    let mut sent_back: HashMap<String, Vec<Uuid>> = HashMap::new();
    for Again { item, sent_back: reason, .. } in &again {
        if let Some(reason) = reason {
            sent_back.entry(reason.clone()).or_default().push(*item);
        }
    }
    roll::drafts::enter_again(ctx, tx, again.into_iter().map(|again| again.row).collect()).await?;
    for (reason, items) in sent_back {
        roll::drafts::sent_back(ctx, tx, &items, &reason).await?;
    }
    Ok(kept)
}

/// How a record stands that can be taken back; else why it stays as it is.
fn stays<'s>(now: Option<&'s Standing>, effect: &Effect) -> Result<&'s Standing, Fault> {
    let Some(now) = now else { return Err(Fault::new("", "", GONE, "该生的记录已被删除，没有可撤回的内容")) };
    let kept = |why: String| Err(Fault::new("", "", KEPT, why));
    let name = now.row.name();
    if !now.state.is_editable() {
        kept(format!("“{name}”现为“{}”，不能撤回；请先由审核方退回", now.state.name()))
    } else if now.row.content_hash() != effect.content {
        kept(format!("“{name}”在这次导入之后又改过，不能撤回；请在学生页面处理"))
    } else {
        Ok(now)
    }
}

/// What a record had may be another's by now: its number, its 学号. It stays as it is then, and so does whoever would get what it keeps.
async fn leave_taken(of: &Students, tx: &mut Tx, gone: &[Uuid], again: &mut Vec<Again>, kept: &mut Vec<(Uuid, Fault)>) -> Result<(), Error> {
    if again.is_empty() {
        return Ok(());
    }
    let live: Vec<_> = (registration::all_of_school(tx, &of.school).await?.into_iter())
        .filter(|row| row.state < State::FIRST_FINAL && !gone.contains(&row.enrollment))
        .collect();
    loop {
        let restored: HashMap<Uuid, &Whole> = again.iter().map(|again| (again.item, &again.row)).collect();
        let mut keys: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        let mut numbers: HashMap<&str, Vec<Uuid>> = HashMap::new();
        for row in &live {
            let then = restored.get(&row.enrollment);
            keys.entry(then.map_or(row.claim_key, |then| then.key())).or_default().push(row.enrollment);
            numbers.entry(then.map_or(row.school_number.as_str(), |then| then.school_number())).or_default().push(row.enrollment);
        }
        numbers.remove("");
        let twice: HashSet<Uuid> = keys.into_values().chain(numbers.into_values()).filter(|of| of.len() > 1).flatten().collect();
        let (stay, rest): (Vec<Again>, Vec<Again>) = std::mem::take(again).into_iter().partition(|again| twice.contains(&again.item));
        *again = rest;
        if stay.is_empty() {
            return Ok(());
        }
        let why = |again: &Again| format!("“{}”原来的证件号或学号现在属于本校另一名学生，不能恢复；请核对", again.row.name());
        kept.extend(stay.iter().map(|again| (again.item, Fault::new("学号", again.row.school_number(), KEPT, why(again)))));
    }
}
