//! 涉助信息变更 as a kind of dossier: what aid decides by (户口性质, 居住地类型, 户口所在地, 城乡分类, special groups) is changed of an approved student over
//! the desks. It holds from a civil day on: the period that begins then is shared, and the judge goes by it.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{codes, record::Way, region, text::hide_long_numbers};
use xuezhu_proto::common as told;
use xuezhu_review::{About, Dossier, Item, Kind, Moved, OfSchool, Present, Proposal, Refused, Work, inbox, told as tell};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::{
    Said,
    contacts::{lines, of_way},
    locked, sees_all, shown, store,
};
use crate::{
    Parts, directory,
    import::{
        Students, by_hand,
        row::{columns_of, content_with, special_groups},
    },
    roll::{
        self, kept,
        places::{self, Facts, LockedRow, Move},
        sheet,
    },
};

/// What it is.
pub static ABOUT: About = About {
    code: 3,
    word: "AID_FACTS_CHANGE",
    name: "涉助信息变更",
    columns: &["班级", "专业", "变更内容", "起始日期"],
    chain: "PRINCIPAL, AUTHORITY",
    floor: "PRINCIPAL, AUTHORITY",
    items: "enrollments",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// What carries money, of one student.
#[derive(Debug)]
pub struct AidFacts<'p> {
    /// What reading and writing need.
    pub parts: &'p Parts,
}

/// What a school asks for.
#[derive(Debug)]
pub struct Asked {
    /// Of whom.
    pub enrollment: Uuid,
    /// What columns are to say, as it was typed.
    pub said: Said,
    /// First day on which it holds.
    pub from: NaiveDate,
    /// Why.
    pub reason: String,
    /// The version that was read; empty for any.
    pub etag: String,
}

impl Kind for AidFacts<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            let asked = proposal(tx, self.parts, dossier.dossier).await?;
            let details = roll::drafts::details_of(tx, self.parts, items.iter().copied()).await?;
            let present = |(item, details): (Uuid, String)| Present { item, content_hash: content(self.parts, &asked, &details) };
            Ok(details.into_iter().map(present).collect())
        })
    }

    /// The student's record stays as it is until it is changed.
    fn moved<'t>(&'t self, _: &'t Context, _: &'t mut Tx, _: &'t Dossier, _: &'t [Uuid], _: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async { Ok(()) })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let (asked, reason) = (proposal(tx, self.parts, dossier.dossier).await?, inbox::reason(tx, dossier.dossier).await?);
            let mut refused = Vec::new();
            for item in items {
                let row = places::lock(tx, &dossier.school, *item).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
                // What held when it was asked for may hold no more: who left meanwhile keeps what they had.
                match may_change(&row).and_then(|()| may_hold(&row, asked.from)) {
                    Ok(()) => write(ctx, tx, self.parts, (*item, &row), &asked, &reason).await?,
                    Err(Error::Refused(_)) => refused.push(Refused { item: *item, reason: Reason::WrongState.as_str_name() }),
                    Err(error) => return Err(error),
                }
            }
            Ok(refused)
        })
    }
}

/// The school asks for it.
pub async fn ask(ctx: &Context, tx: &mut Tx, of: &Students, asked: &Asked) -> Result<told::Dossier, Error> {
    let school = directory::school_for(ctx, tx, &of.school, Permission::EnterForSchool).await?;
    let row = locked(tx, &school, asked.enrollment, &asked.etag).await?;
    may_change(&row)?;
    of_way(Way::Dossier, &asked.said)?;
    if asked.from > ctx.today() {
        return Err(Refusal::field("effective_date", "起始日期不能晚于今天，请在生效之日或之后申报").into());
    }
    may_hold(&row, asked.from)?;
    if !inbox::under_way(tx, ABOUT.code, &[asked.enrollment]).await?.is_empty() {
        return Err(Refusal::wrong_state("该生的涉助信息变更正在办理中；如需更改，请先撤回原来的申请").into());
    }
    let details = roll::drafts::details_of(tx, &of.parts, std::iter::once(asked.enrollment)).await?.remove(&asked.enrollment).unwrap_or_default();
    let stored = columns_of(&details);
    let was = |header: &str| stored.get(header).map_or("", String::as_str);
    let said = shown::unmasked(asked.said.clone(), was, sees_all(ctx, &school))?;
    let (kept, checked) = by_hand::look_at_columns(ctx, tx, of, &stored, &said).await?;
    checked.passed()?;
    let columns: Said = kept.into_iter().filter(|(header, value)| was(header) != value).collect();
    if columns.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "内容与现有的相同，没有需要变更的").into());
    }
    let what = columns.iter().map(|(header, value)| change_told(header, was(header), value)).collect::<Vec<_>>().join("；");
    let dossier = ctx.new_id();
    let proposed = Proposed { from: asked.from, columns };
    let sealed = of.parts.keyring.seal("aid_facts", &[dossier], lines(&proposed.columns).as_bytes());
    store::propose(tx, dossier, asked.enrollment, asked.from, &sealed).await?;
    let content_hash = content(&of.parts, &proposed, &details);
    let items: Vec<Item> = (sheet::lines(tx, &[asked.enrollment]).await?.into_iter())
        .map(|line| {
            let cells = vec![line.class_name.clone(), line.major(), what.clone(), asked.from.to_string()];
            Item { content_hash: content_hash.clone(), ..line.item(cells) }
        })
        .collect();
    let name = items.first().map(|item| item.name.clone()).unwrap_or_default();
    let proposal = Proposal { dossier, subject: None, title: format!("{}：{name}", ABOUT.name), reason: asked.reason.clone(), items };
    let at = OfSchool { code: &school.code, authority: &school.authority };
    let made = xuezhu_review::submit(ctx, tx, &AidFacts { parts: &of.parts }, at, proposal).await?;
    Ok(tell::dossier(&ABOUT, &made, &school.name, ctx.today()))
}

/// What was proposed.
struct Proposed {
    from: NaiveDate,
    columns: Said,
}

async fn proposal(tx: &mut Tx, parts: &Parts, dossier: Uuid) -> Result<Proposed, Error> {
    let (from, sealed) = store::proposed(tx, dossier).await?.ok_or(StoreError::Corrupt("what a dossier proposes"))?;
    let text = parts.keyring.open_text("aid_facts", &[dossier], &sealed).ok_or_else(|| Error::Internal("a sealed proposal does not open".into()))?;
    Ok(Proposed { from, columns: columns_of(&text).into_iter().collect() })
}

/// Hash of what is asked for and of what it is asked instead of: who signs, signs both.
fn content(parts: &Parts, asked: &Proposed, details: &str) -> Vec<u8> {
    let stored = columns_of(details);
    let was: Said = asked.columns.iter().map(|(header, _)| (*header, stored.get(header).cloned().unwrap_or_default())).collect();
    parts.keyring.content_hash(format!("{}\n{}\n{}", asked.from, lines(&was), lines(&asked.columns)).as_bytes()).to_vec()
}

/// Whether anything that carries money can be changed of somebody who stands so.
fn may_change(row: &LockedRow) -> Result<(), Error> {
    let state = roll::state_of(row.state)?;
    if state.meaning().counts {
        return Ok(());
    }
    let why = if state.is_editable() { "；草稿请直接修改" } else { "" };
    Err(Refusal::wrong_state(format!("当前为“{}”，只有在读或休学的学生可以办理涉助信息变更{why}", state.name())).into())
}

/// Whether it can hold from a day: not before the last that is recorded, which says what was until then.
fn may_hold(row: &LockedRow, from: NaiveDate) -> Result<(), Error> {
    let last = row.last_from.ok_or(StoreError::Corrupt("first day of a state"))?;
    if from >= last {
        return Ok(());
    }
    Err(Refusal::field("effective_date", format!("起始日期不能早于最近一次登记的入学或异动日期 {last}")).into())
}

/// Says it otherwise: in the period that begins then, and in the columns that are kept.
async fn write(ctx: &Context, tx: &mut Tx, parts: &Parts, (enrollment, row): (Uuid, &LockedRow), asked: &Proposed, reason: &str) -> Result<(), Error> {
    let details = roll::drafts::details_of(tx, parts, std::iter::once(enrollment)).await?.remove(&enrollment).unwrap_or_default();
    let stored = columns_of(&details);
    let before: Said = asked.columns.iter().map(|(header, _)| (*header, stored.get(header).cloned().unwrap_or_default())).collect();
    let after = content_with(&details, &asked.columns);
    let columns = columns_of(&after);
    let value = |header: &str| columns.get(header).map_or("", String::as_str);
    let groups = special_groups(|header| value(header).to_owned());
    let change = kept::Change {
        enrollment,
        kind: kept::Kind::AidFacts,
        from: asked.from,
        before: &lines(&before),
        after: &lines(&asked.columns),
        details: &after,
        phone: value("联系电话"),
        reason,
    };
    kept::change(ctx, tx, parts, &change).await?;
    let facts = Facts {
        household: value("户口性质"),
        residence: value("学生居住地类型"),
        registered_region: value("户口所在地行政区划码"),
        urban_rural: value("城乡分类代码"),
        special_groups: &groups,
    };
    // What began on that day goes on being why it began.
    let reason = (row.last_from != Some(asked.from)).then_some(reason);
    let moved = Move { enrollment, from: asked.from, state: None, class_name: None, major: None, facts: Some(facts), reason };
    places::change(ctx, tx, parts, &[moved]).await
}

/// A change as the sheet tells it, which is kept readable for ever: no digits of a region, which a number begins with, and no address.
fn change_told(header: &str, before: &str, after: &str) -> String {
    let told = |value: &str| match header {
        _ if value.is_empty() => "（空）".to_owned(),
        "户口所在地行政区划码" => match region::full_name(value) {
            name if name.is_empty() => "（未列入区划表）".to_owned(),
            name => name,
        },
        "城乡分类代码" => codes::urban_rural(value).map_or("", |class| class.name).to_owned(),
        _ => hide_long_numbers(value),
    };
    if header.contains("地址") { format!("{header}：已更改") } else { format!("{header}：{} → {}", told(before), told(after)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_says_what_changes_and_no_digit_of_a_region() {
        assert_eq!(change_told("户口性质", "农业户口", "非农业户口"), "户口性质：农业户口 → 非农业户口");
        assert_eq!(change_told("城乡分类代码", "", "111"), "城乡分类代码：（空） → 主城区");
        assert_eq!(change_told("户口所在地区县以下详细地址", "某街3号", "某路9号"), "户口所在地区县以下详细地址：已更改");
        let told = change_told("户口所在地行政区划码", "430102", "430103");
        assert!(told.contains("芙蓉区") && told.contains("天心区") && !told.contains(|c: char| c.is_ascii_digit()), "{told}");
    }
}
