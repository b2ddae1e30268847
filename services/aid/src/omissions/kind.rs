//! Lists of omissions as a kind of dossier: of one school and term, signed as a whole.

use uuid::Uuid;
use xuezhu_review::{About, Dossier, Item, Kind, Moved, Present, Refused, Work};
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::{StoreError, Tx};

use super::{
    complete,
    rules::State,
    scheme_name,
    store::{self, ItemRow, ListRow},
};
use crate::Parts;

/// What it is. The principal answers for it: a department sees it, and may put a desk of its own behind it.
pub static ABOUT: About = About {
    code: 15,
    word: "OMISSIONS",
    name: "漏报清单",
    columns: &["项目", "未列入的原因"],
    chain: "PRINCIPAL",
    floor: "PRINCIPAL",
    items: "omissions",
    unit: "人",
    whole: true,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// A list of omissions.
#[derive(Debug)]
pub struct Omissions<'p> {
    /// What words need.
    pub parts: &'p Parts,
}

fn content(item: &ItemRow) -> Vec<u8> {
    let mut hash = blake3::Hasher::new();
    for part in [&item.scheme, &item.name, &item.class_name, &item.note] {
        hash.update(part.as_bytes()).update(b"\n");
    }
    hash.update(item.person_key.as_bytes()).update(&item.cause.code().to_be_bytes());
    hash.finalize().as_bytes()[..16].to_vec()
}

/// What stands on the sheet. Of a list on which nobody is the list itself is the one line: that nobody is missing is signed too.
pub(super) fn items(parts: &Parts, list: Uuid, rows: &[ItemRow]) -> Vec<Item> {
    if rows.is_empty() {
        let line = vec![String::new(), "没有应列入而未列入的学生".to_owned()];
        return vec![Item { id: list, content_hash: NOBODY.to_vec(), name: "无".to_owned(), line, class_name: String::new() }];
    }
    let item = |row: &ItemRow| {
        let cause = if row.note.is_empty() { row.cause.name().to_owned() } else { format!("{}：{}", row.cause.name(), row.note) };
        Item {
            id: row.item,
            content_hash: content(row),
            name: row.name.clone(),
            line: vec![scheme_name(parts, &row.scheme), cause],
            class_name: row.class_name.clone(),
        }
    };
    rows.iter().map(item).collect()
}

/// The content of the line that nobody is missing.
const NOBODY: &[u8] = b"nobody";

async fn list_of(tx: &mut Tx, dossier: &Dossier) -> Result<ListRow, Error> {
    let list = dossier.subject.ok_or(StoreError::Corrupt("subject of a dossier"))?;
    Ok(store::locked(tx, &dossier.school, list).await?.ok_or(StoreError::Corrupt("list of omissions"))?)
}

impl Kind for Omissions<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier, _: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            let row = list_of(tx, dossier).await?;
            let rows = store::items(tx, row.list).await?;
            let lines = items(self.parts, row.list, &rows);
            Ok(lines.into_iter().map(|item| Present { item: item.id, content_hash: item.content_hash }).collect())
        })
    }

    fn moved<'t>(&'t self, _: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, _: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            let row = list_of(tx, dossier).await?;
            let reason = match moved {
                Moved::Signed { .. } => return Ok(()),
                Moved::SentBack { reason } | Moved::Refused { reason } => reason,
                Moved::Recalled => "",
            };
            Ok(store::set_state(tx, row.list, State::Draft, None, reason, None).await?)
        })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, _: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let row = list_of(tx, dossier).await?;
            let rows = store::items(tx, row.list).await?;
            complete(ctx, tx, self.parts, &row, &rows).await?;
            store::set_state(tx, row.list, State::Signed, Some(dossier.dossier), "", Some(ctx.today())).await?;
            Ok(Vec::new())
        })
    }
}
