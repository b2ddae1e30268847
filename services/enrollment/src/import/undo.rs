//! What an import did to drafts, taken back: a new one goes, a changed one is again as it was.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::codes;
use xuezhu_intake::{Effect, Fault};
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use super::{Keyed, Parsed, Students};
use crate::roll::{self, drafts::Standing};

/// What stood in a record before an import.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    /// Every column, a line each.
    details: String,
    /// Key of the major: a name may be of several catalogues.
    major: String,
    /// Why it had been sent back, where it had.
    sent_back: Option<String>,
}

/// What stands in a record, to get back.
pub fn before(standing: &Standing) -> Vec<u8> {
    let before = Before { details: standing.details.clone(), major: standing.major.clone(), sent_back: standing.sent_back.clone() };
    serde_json::to_vec(&before).unwrap_or_default()
}

/// Takes back what can be: records that are drafts still and hold what was written.
pub async fn take_back(of: &Students, ctx: &Context, tx: &mut Tx, effects: &[Effect]) -> Result<Vec<(Uuid, Fault)>, Error> {
    let standing = roll::drafts::standing(tx, &of.parts, effects.iter().map(|effect| effect.item)).await?;
    let (mut gone, mut again, mut sent_back, mut kept) = (Vec::new(), Vec::new(), HashMap::<String, Vec<Uuid>>::new(), Vec::new());
    for effect in effects {
        let keep = |why: String| Some((effect.item, Fault::new("", "", "NOT_TAKEN_BACK", why)));
        let now = standing.get(&effect.item);
        let stays = match now {
            None => keep("该生的记录已被删除，没有可撤回的内容".to_owned()),
            Some(now) if !now.state.is_editable() => keep(format!("“{}”现为“{}”，不能撤回；请先由审核方退回", now.name, now.state.name())),
            Some(now) if now.content_hash != effect.content => keep(format!("“{}”在这次导入之后又改过，不能撤回；请在学生页面处理", now.name)),
            Some(_) => None,
        };
        if let Some(stays) = stays {
            kept.push(stays);
            continue;
        }
        let Some(before) = &effect.before else {
            gone.push(effect.item);
            continue;
        };
        let before: Before = serde_json::from_slice(before).map_err(|_| StoreError::Corrupt("what stood before an import"))?;
        let parsed = codes::major_of_key(&before.major).and_then(|major| Parsed::of_content(&before.details, major, ctx.today()));
        let Some(parsed) = parsed else {
            kept.extend(keep("原来的内容按现在的规则读不出来，没有恢复；请在学生页面核对".to_owned()));
            continue;
        };
        again.push((effect.item, Keyed::new(&of.parts, parsed)));
        if let Some(reason) = before.sent_back {
            sent_back.entry(reason).or_default().push(effect.item);
        }
    }
    roll::drafts::remove_all(tx, &of.school, &gone).await?;
    let drafts: Vec<_> = again.iter().map(|(id, row)| (*id, row.draft())).collect();
    roll::drafts::enter(ctx, tx, &of.parts, &of.school, &[], &drafts).await?;
    for (reason, items) in sent_back {
        roll::drafts::sent_back(ctx, tx, &items, &reason).await?;
    }
    Ok(kept)
}
