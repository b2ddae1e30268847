//! A policy as a kind of dossier, of a department and of no school: the last signature makes it a version.

use uuid::Uuid;
use xuezhu_judge::policy::Policy;
use xuezhu_review::{About, Dossier, Item, Kind, Moved, Present, Refused, Work};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::{
    speaks_for_all,
    store::{self, PolicyRow},
    too_early, yields_to_none_above,
};
use crate::Parts;

/// What it is.
pub static ABOUT: About = About {
    code: 13,
    word: "AID_POLICY",
    name: "资助政策",
    columns: &["自何日起", "事由"],
    chain: "AUTHORITY",
    floor: "AUTHORITY",
    items: "policies",
    unit: "份",
    whole: true,
    of_school: false,
    reads: Permission::ReadSchool,
};

/// A policy that is proposed.
#[derive(Debug)]
pub struct PolicyChange<'p> {
    /// What knows the versions.
    pub parts: &'p Parts,
}

fn hash(from: &str, content: &str) -> Vec<u8> {
    blake3::Hasher::new().update(from.as_bytes()).update(b"\n").update(content.as_bytes()).finalize().as_bytes().to_vec()
}

/// A policy as it stands on the sheet.
pub(super) fn item(row: &PolicyRow) -> Item {
    let from = row.from_day.to_string();
    Item {
        id: row.policy, content_hash: hash(&from, &row.content), name: "资助政策".to_owned(), line: vec![from, row.note.clone()], class_name: String::new()
    }
}

impl Kind for PolicyChange<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            let rows = store::present(tx, items).await?;
            Ok(rows.into_iter().map(|(item, from, content)| Present { item, content_hash: hash(&from.to_string(), &content) }).collect())
        })
    }

    fn moved<'t>(&'t self, _: &'t Context, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            match moved {
                Moved::Signed { .. } => Ok(()),
                Moved::SentBack { .. } | Moved::Refused { .. } | Moved::Recalled => Ok(store::drop_all(tx, items).await?),
            }
        })
    }

    /// What was sound when it was proposed is asked again: days went by.
    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let policies = self.parts.policies.fresh(tx).await?;
            speaks_for_all(tx, &dossier.authority).await?;
            yields_to_none_above(tx, &dossier.authority).await?;
            for (policy, from, content) in store::present(tx, items).await? {
                let said = Policy::kept(&content).map_err(|_| Error::from(StoreError::Corrupt("a policy that was sound")))?;
                if let Some(why) = too_early(ctx.today(), &policies, from).or_else(|| policies.refuses(&said)) {
                    return Err(Refusal::wrong_state(format!("{why}：请退回，改后重新拟订")).into());
                }
                // The number is unique: of two who sign at once, one is run again and finds the other's.
                let version = store::newest(tx).await? + 1;
                store::sign(tx, policy, version).await?;
            }
            Ok(Vec::new())
        })
    }
}
