//! A list of a special group as a file: who is of which group, until when. Who is there already takes what the file says; whom it does not mention stays
//! until their day has passed.

use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::text::comparable_name;
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, GONE, KEPT, Kind, Of, Options, Placed, Read, Sheet, What, Work};
use xuezhu_service::{Context, Error, Permission, Place};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};
use xuezhu_workbook::{Row, Table};

use super::{
    rules::{self, Parsed},
    store::{self, Listed, MemberRow},
};
use crate::{
    Parts,
    cells::{self, Places},
};

/// Lists of special groups, as a file of a department.
#[derive(Debug, Clone)]
pub struct Groups {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// Region of the department.
    pub region: String,
}

/// A row with what it is found by.
#[derive(Debug, Clone)]
pub struct Keyed {
    key: Uuid,
    content: [u8; 32],
    row: Parsed,
}

impl Kind for Groups {
    const ABOUT: About = About {
        code: 5,
        import: "ImportGroups",
        commit: "CommitGroupImport",
        report: "GetGroupImport",
        list: "ListGroupImports",
        marked: "DownloadMarkedGroups",
        take_back: "TakeBackGroupImport",
    };
    /// The civil day.
    type Rules = NaiveDate;
    type Layout = Places;
    type Row = Keyed;

    fn sheet() -> Sheet {
        let notes = vec![
            "一人一类一行，从第4行起填写；列的顺序可以调整，表头文字不能改动。".to_owned(),
            "民政、残联、乡村振兴等部门给的名单，整理成本表上传。再次上传的更新有效期；没有列入的不受影响，到期后不再有效。".to_owned(),
            "系统只用来提示学校找学生谈话、认定困难等级，不公开；名单中只留证件号的校验值，上传的原文件加密保存30天，供核对和撤回。".to_owned(),
        ];
        Sheet { title: rules::TITLE, notes, columns: rules::COLUMNS.to_vec(), marks: cells::MARKS, taken_out: false }
    }

    fn of(&self) -> Of {
        Of::all(&self.region, "special groups")
    }

    fn may<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx, _: Act) -> Work<'t, ()> {
        Box::pin(async move { ctx.may(Permission::Approve, &Place::School { code: "", authority: &self.region }) })
    }

    fn rules<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx) -> Work<'t, NaiveDate> {
        Box::pin(async move { Ok(ctx.today()) })
    }

    fn layout(&self, table: &Table, _: Options) -> Places {
        cells::places(table, &rules::COLUMNS)
    }

    fn read(&self, today: &NaiveDate, layout: &Places, row: &Row) -> Read<Keyed> {
        let (parsed, faults) = rules::parse(layout, row, *today);
        let doubts = parsed.as_ref().and_then(|row| cells::doubt(&row.id)).into_iter().collect();
        let keyed = |row: Parsed| {
            let key = self.parts.keyring.person_key(&row.id).0;
            let said = format!("{key}\n{}\n{}\n{}", comparable_name(&row.name), row.group, row.until);
            Keyed { key, content: self.parts.keyring.content_hash(said.as_bytes()), row }
        };
        Read { row: parsed.map(keyed), faults, doubts }
    }

    fn content(row: &Keyed) -> [u8; 32] {
        row.content
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        _: &'t NaiveDate,
        rows: &'t [&'t At<Keyed>],
        _: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Keyed>>> {
        Box::pin(async move {
            let keys: Vec<Uuid> = rows.iter().map(|at| at.row.key).collect();
            let known = store::of_keys(tx, &self.region, &keys).await?;
            let known: HashMap<(Uuid, &str), &MemberRow> = known.iter().map(|row| ((row.person_key, row.group_word.as_str()), row)).collect();
            let mut seen: HashMap<(Uuid, &str), u32> = HashMap::new();
            let mut placed = Vec::new();
            for (at, At { spot, row }) in rows.iter().enumerate() {
                let of = (row.key, row.row.group);
                if let Some(first) = seen.insert(of, spot.row) {
                    let why = format!("与第{first}行的证件号和类别相同，请只留一行");
                    found.fault(*spot, &Fault::new("身份证件号", &row.row.id.masked(), "DUPLICATE_IN_FILE", why));
                    continue;
                }
                let what = match known.get(&of) {
                    None if row.row.until < ctx.today() => {
                        found.fault(*spot, &Fault::new("有效期至", "停止", "NOT_THERE", "该生不在本部门的这一类名单中，不用停止"));
                        continue;
                    }
                    None => What::New { item: ctx.new_id() },
                    Some(there) if there.content_hash == row.content => What::Unchanged,
                    Some(there) => {
                        let before = serde_json::to_vec(&Listed::from((*there).clone())).map_err(|error| Error::Internal(error.to_string()))?;
                        What::Changed { item: there.member, base: there.content_hash.clone(), before, row: None }
                    }
                };
                placed.push(Placed { at, what });
            }
            Ok(placed)
        })
    }

    fn write<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: &'t NaiveDate, new: &'t [(Uuid, &'t Keyed)], changed: &'t [(Uuid, &'t Keyed)]) -> Work<'t, ()> {
        Box::pin(async move {
            let member = |(member, keyed): &(Uuid, &Keyed)| Listed {
                member: Hex(*member),
                group_word: keyed.row.group.to_owned(),
                person_key: Hex(keyed.key),
                name_comparable: comparable_name(&keyed.row.name),
                until_day: keyed.row.until,
                content_hash: Bytes(keyed.content.to_vec()),
            };
            Ok(store::write(ctx, tx, &self.region, &new.iter().chain(changed).map(member).collect::<Vec<_>>()).await?)
        })
    }

    fn take_back<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        Box::pin(async move {
            let ids: Vec<Uuid> = effects.iter().map(|effect| effect.item).collect();
            let there: HashMap<Uuid, MemberRow> = store::members(tx, &self.region, &ids).await?.into_iter().map(|row| (row.member, row)).collect();
            let (mut gone, mut again, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for effect in effects {
                match (there.get(&effect.item), &effect.before) {
                    (None, _) => kept.push((effect.item, Fault::new("", "", GONE, "该行已不在名单中，没有可撤回的内容"))),
                    (Some(now), _) if now.content_hash != effect.content => {
                        kept.push((effect.item, Fault::new("", "", KEPT, "该行在这次导入之后又更新过，不能撤回")));
                    }
                    (Some(_), None) => gone.push(effect.item),
                    (Some(_), Some(before)) => {
                        again.push(serde_json::from_slice::<Listed>(before).map_err(|_| StoreError::Corrupt("what stood before an import"))?);
                    }
                }
            }
            store::remove(tx, &self.region, &gone).await?;
            store::write(ctx, tx, &self.region, &again).await?;
            Ok(kept)
        })
    }
}
