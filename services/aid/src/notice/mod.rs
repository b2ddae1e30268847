//! 公示: what of a list is shown publicly, from when until when, and what is said against it. Lists open notices and ask them ([`open`],
//! [`leave`], [`may_sign`]); what a notice does not know of lists it was told when it opened.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | opening, leaving, what stands in a signature's way, reading, publishing |
//! | `objections` | objecting, answering, deciding |
//! | `rules` | how long a notice runs, where an objection stands |
//! | `api` | gRPC in |

pub mod api;
pub mod bound;
mod objections;
pub mod rules;
mod store;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_judge::policy::file::NoticeRow as Asked;
use xuezhu_proto::aid::{self as pb, notice};
use xuezhu_service::{
    Context, Error, Permission, Place, Reason, Refusal,
    paging::{self, Turn},
};
use xuezhu_store::{Hex, Tx};

// What lists say of who is shown.
pub use self::store::NewLine;
use self::{
    rules::{Stage, last_day},
    store::{LineRow, NoticeRow},
};
use crate::mirror;

/// What a list shows.
#[derive(Debug)]
pub struct Opening<'o> {
    /// The list.
    pub list: Uuid,
    /// Its round.
    pub dossier: Uuid,
    /// School.
    pub school: &'o str,
    /// Its department.
    pub authority: &'o str,
    /// Of what, in Chinese.
    pub title: &'o str,
    /// Digest of what is shown.
    pub digest: &'o str,
    /// As the policy asks.
    pub asked: &'o Asked,
}

/// A line of a notice.
pub fn line(entry: Uuid, name: &str, class_name: &str, grade: i32, major_name: &str) -> NewLine {
    NewLine { entry: Hex(entry), name: name.to_owned(), class_name: class_name.to_owned(), grade, major_name: major_name.to_owned() }
}

/// A notice begins.
pub async fn open(ctx: &Context, tx: &mut Tx, opening: &Opening<'_>, lines: &[NewLine]) -> Result<(), Error> {
    let row = NoticeRow {
        notice: ctx.new_id(),
        list: opening.list,
        dossier: opening.dossier,
        school: opening.school.to_owned(),
        authority: opening.authority.to_owned(),
        title: opening.title.to_owned(),
        stage: opening.asked.order.into(),
        opened_day: ctx.today(),
        last_day: last_day(ctx.today(), opening.asked.working_days),
        published: false,
        digest: opening.digest.to_owned(),
    };
    store::insert(tx, &row, lines, ctx.now_us()).await?;
    Ok(store::bring_along(tx, row.list, row.notice).await?)
}

/// Entries leave the notices on which they are.
pub async fn leave(tx: &mut Tx, entries: &[Uuid]) -> Result<(), Error> {
    Ok(store::set_gone(tx, entries).await?)
}

/// Those of these entries of a round whom an objection concerns that stands in the way, though the principal signed before it came.
pub async fn objected(tx: &mut Tx, dossier: Uuid, entries: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let concerned: Vec<Option<Uuid>> = store::objected(tx, dossier).await?.into_iter().map(|(entry,)| entry).collect();
    let is_all = concerned.contains(&None);
    Ok(entries.iter().copied().filter(|entry| is_all || concerned.contains(&Some(*entry))).collect())
}

/// Refuses a principal's signature under a round whose notice runs, or against which something is said that is not settled.
pub async fn may_sign(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<(), Error> {
    match standing(ctx, tx, &[dossier]).await?.remove(&dossier) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

/// What stands in a signature's way, by round.
pub async fn standing(ctx: &Context, tx: &mut Tx, dossiers: &[Uuid]) -> Result<HashMap<Uuid, Refusal>, Error> {
    let mut rows = store::of_dossiers(tx, dossiers).await?;
    rows.retain(|row| row.stage == Stage::BeforeSignature);
    let ids: Vec<Uuid> = rows.iter().map(|row| row.notice).collect();
    store::lock(tx, &ids).await?;
    let objected: HashMap<Uuid, i64> = store::in_the_way(tx, &ids).await?.into_iter().collect();
    let refusal = |row: NoticeRow| {
        let refusal = if row.last_day >= ctx.today() {
            let next = row.last_day.succ_opt().unwrap_or(row.last_day);
            Refusal::new(Reason::NoticeRunning, format!("名单正在公示，至{}期满，{next}起才能签核", row.last_day))
        } else {
            let count = objected.get(&row.notice).copied().filter(|count| *count > 0)?;
            let why = format!(
                "公示有{count}条异议尚未了结：没有核定的由主管部门核定；认为成立的，将涉及的学生退回后其余的可以签核（涉及整份名单的，全部退回、改正后重新公示）"
            );
            Refusal::new(Reason::ObjectionOpen, why)
        };
        Some((row.dossier, refusal))
    };
    Ok(rows.into_iter().filter_map(refusal).collect())
}

/// From which day each entry of a list may be paid, where its notice after the audit says so; none of a day where an objection stands in the way.
pub async fn payable(tx: &mut Tx, list: Uuid) -> Result<HashMap<Uuid, Option<NaiveDate>>, Error> {
    let rows = store::payable(tx, list).await?;
    Ok(rows.into_iter().map(|(entry, last, objected)| (entry, if objected { None } else { last.succ_opt() })).collect())
}

/// A notice and the name of its school, for whoever may do something there. One that is not theirs to see is refused like one that isn't there.
async fn readable(ctx: &Context, tx: &mut Tx, id: Uuid, permission: Permission) -> Result<(NoticeRow, String), Error> {
    let row = store::notice(tx, id).await?.ok_or_else(|| Refusal::not_found("该公示"))?;
    let place = Place::School { code: &row.school, authority: &row.authority };
    if ctx.may(Permission::ReadMoney, &place).is_err() {
        return Err(Refusal::not_found("该公示").into());
    }
    let school = mirror::school_for(ctx, tx, &row.school, permission).await?;
    Ok((row, school.name))
}

/// Notices of a school, or of one of its lists.
pub async fn list(ctx: &Context, tx: &mut Tx, school: &str, list: Option<Uuid>, turn: &Turn<Uuid>) -> Result<Vec<pb::Notice>, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadMoney).await?;
    let rows = store::notices(tx, &school.school, list, turn).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.notice).collect();
    let mut counts: HashMap<Uuid, i64> = HashMap::new();
    for (notice, _, count) in store::classes(tx, &ids).await? {
        *counts.entry(notice).or_default() += count;
    }
    let objected: HashMap<Uuid, i64> = store::in_the_way(tx, &ids).await?.into_iter().collect();
    let count = |of: &HashMap<Uuid, i64>, notice: Uuid| paging::told(of.get(&notice).copied().unwrap_or_default());
    let told =
        |row: &NoticeRow| pb::Notice { objections: count(&objected, row.notice), ..to_proto(row, &school.name, count(&counts, row.notice), ctx.today()) };
    Ok(rows.iter().map(told).collect())
}

/// One notice with its classes, and who is shown of one.
pub async fn one(ctx: &Context, tx: &mut Tx, id: Uuid, class_name: &str) -> Result<pb::GetNoticeResponse, Error> {
    let (row, school) = readable(ctx, tx, id, Permission::ReadMoney).await?;
    let (classes, class_name, lines) = of_class(tx, id, class_name).await?;
    let objections = store::in_the_way(tx, &[id]).await?.first().map_or(0, |(_, count)| *count);
    let count = classes.iter().map(|class| class.count).sum();
    let notice = pb::Notice { classes, objections: paging::told(objections), ..to_proto(&row, &school, count, ctx.today()) };
    Ok(pb::GetNoticeResponse { notice: Some(notice), lines, class_name })
}

/// A notice's classes; and of one of them who is shown: of that which is named, or of the only one.
async fn of_class(tx: &mut Tx, id: Uuid, class_name: &str) -> Result<(Vec<pb::NoticeClass>, String, Vec<pb::NoticeLine>), Error> {
    let classes: Vec<pb::NoticeClass> =
        store::classes(tx, &[id]).await?.into_iter().map(|(_, class_name, count)| pb::NoticeClass { class_name, count: paging::told(count) }).collect();
    let shown = match &classes[..] {
        [only] if class_name.is_empty() => only.class_name.clone(),
        _ if classes.iter().any(|class| class.class_name == class_name) => class_name.to_owned(),
        _ => return Ok((classes, String::new(), Vec::new())),
    };
    let lines = store::lines(tx, id, &shown).await?.into_iter().map(told_line).collect();
    Ok((classes, shown, lines))
}

/// The school shows a notice to whoever has the link, or no more.
pub async fn publish(ctx: &Context, tx: &mut Tx, id: Uuid, published: bool) -> Result<pb::Notice, Error> {
    let (row, _) = readable(ctx, tx, id, Permission::EnterForSchool).await?;
    if published && row.last_day < ctx.today() {
        return Err(Refusal::wrong_state("公示已经期满").into());
    }
    if published && store::classes(tx, &[id]).await?.is_empty() {
        return Err(Refusal::wrong_state("公示的学生都已退回或撤回，没有可以公示的").into());
    }
    store::publish(tx, id, published).await?;
    Ok(one(ctx, tx, id, "").await?.notice.unwrap_or_default())
}

/// A notice that is published, runs and shows somebody, whoever asks.
async fn public(ctx: &Context, tx: &mut Tx, id: Uuid) -> Result<NoticeRow, Error> {
    match store::notice(tx, id).await? {
        Some(row) if row.published && ctx.today() <= row.last_day && !store::classes(tx, &[id]).await?.is_empty() => Ok(row),
        _ => Err(Refusal::not_found("该公示（可能已经期满，或没有在网上公示）").into()),
    }
}

/// What of a notice whoever has the link is shown.
pub async fn public_page(ctx: &Context, tx: &mut Tx, id: Uuid, class_name: &str) -> Result<pb::GetPublicNoticeResponse, Error> {
    let row = public(ctx, tx, id).await?;
    let (classes, class_name, lines) = of_class(tx, id, class_name).await?;
    let school_name = mirror::school(tx, &row.school).await?.map(|school| school.name).unwrap_or_default();
    Ok(pb::GetPublicNoticeResponse {
        school_name,
        title: row.title,
        open_date: row.opened_day.to_string(),
        last_date: row.last_day.to_string(),
        classes,
        lines,
        class_name,
    })
}

fn told_line(row: LineRow) -> pb::NoticeLine {
    pb::NoticeLine { name: row.name, class_name: row.class_name, grade: row.grade, major_name: row.major_name }
}

fn to_proto(row: &NoticeRow, school_name: &str, count: i32, today: NaiveDate) -> pb::Notice {
    let stage = match row.stage {
        Stage::BeforeSignature => notice::Stage::BeforeSignature,
        Stage::AfterAudit => notice::Stage::AfterAudit,
    };
    pb::Notice {
        notice: row.notice.to_string(),
        list: row.list.to_string(),
        dossier: row.dossier.to_string(),
        school: row.school.clone(),
        school_name: school_name.to_owned(),
        title: row.title.clone(),
        stage: stage.into(),
        open_date: row.opened_day.to_string(),
        last_date: row.last_day.to_string(),
        count,
        running: count > 0 && today <= row.last_day,
        published: row.published,
        digest: row.digest.clone(),
        ..pb::Notice::default()
    }
}
