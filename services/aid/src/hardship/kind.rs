//! Levels as a kind of dossier: students of one school and school year.

use uuid::Uuid;
use xuezhu_review::{About, Dossier, Item, Kind, Moved, Present, Refused, Work};
use xuezhu_service::{Context, Permission, Reason};
use xuezhu_store::Tx;

use super::{
    attending,
    rules::{State, reaches_back},
    store::{self, LevelRow},
};
use crate::{Parts, reconciliation::judge_keys};

/// What it is. The school determines (教财〔2018〕16号): where a department wants to see it, its chain says so.
pub static ABOUT: About = About {
    code: 14,
    word: "HARDSHIP",
    name: "困难认定",
    columns: &["困难等级", "自何日起"],
    chain: "PRINCIPAL",
    floor: "PRINCIPAL",
    items: "determinations",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadFamily,
};

/// Levels that a school determines.
#[derive(Debug)]
pub struct HardshipRound<'p> {
    /// What judging needs.
    pub parts: &'p Parts,
}

fn content(row: &LevelRow) -> Vec<u8> {
    let mut hash = blake3::Hasher::new();
    hash.update(row.person_key.as_bytes()).update(row.level.as_bytes()).update(b"\n").update(row.name_comparable.as_bytes()).update(b"\n");
    hash.update(row.from_day.to_string().as_bytes()).update(row.to_day.to_string().as_bytes()).update(&row.circumstances_sealed);
    hash.finalize().as_bytes()[..16].to_vec()
}

/// A level as it stands on the sheet: nothing of the family.
pub(super) fn item(row: &LevelRow) -> Item {
    let level = if row.level.is_empty() { "不再困难" } else { &row.level };
    Item {
        id: row.determination,
        content_hash: content(row),
        name: row.name.clone(),
        line: vec![level.to_owned(), row.from_day.to_string()],
        class_name: row.class_name.clone(),
    }
}

impl Kind for HardshipRound<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            let rows = store::submitted(tx, items).await?;
            Ok(rows.iter().map(|row| Present { item: row.determination, content_hash: content(row) }).collect())
        })
    }

    fn moved<'t>(&'t self, _: &'t Context, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            match moved {
                Moved::Signed { .. } => 0,
                Moved::SentBack { reason } => store::set(tx, items, State::Submitted, State::Draft, reason, 0).await?,
                Moved::Recalled => store::set(tx, items, State::Submitted, State::Draft, "", 0).await?,
                Moved::Refused { reason } => store::set(tx, items, State::Submitted, State::Dropped, reason, 0).await?,
            };
            Ok(())
        })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let rows = store::submitted(tx, items).await?;
            let keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
            // Days went by since it was entered: who went to another school is the other school's to judge, and a term that ended stays as it was decided.
            let here = attending(ctx, tx, &dossier.school, &keys).await?;
            let (can, cannot): (Vec<&LevelRow>, Vec<&LevelRow>) =
                rows.iter().partition(|row| here.contains(&row.person_key) && !reaches_back(row.from_day, ctx.today()));
            let (determined, keys): (Vec<Uuid>, Vec<Uuid>) = can.iter().map(|row| (row.determination, row.person_key)).unzip();
            store::set(tx, &determined, State::Submitted, State::Determined, "", ctx.now_us()).await?;
            judge_keys(ctx, tx, self.parts, &keys, "hardship").await?;
            Ok(cannot.into_iter().map(|row| Refused { item: row.determination, reason: Reason::WrongState.as_str_name() }).collect())
        })
    }
}
