//! 新生未报到注销 as a kind of dossier: the school asks, or the department orders it on the school's written reason.

use uuid::Uuid;
use xuezhu_domain::{
    calendar::school_year_end,
    enrollment::{Change, State, after},
};
use xuezhu_proto::common as told;
use xuezhu_review::{About, Dossier, Item, Kind, Moved, OfSchool, Present, Proposal, Refused, Work, inbox, told as tell};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::ahead;
use crate::{
    directory::{self, SchoolRow},
    roll::{self, places, sheet},
};

/// What it is.
pub static ABOUT: About = About {
    code: 2,
    word: "NEVER_CAME",
    name: "新生未报到注销",
    columns: &["性别", "班级", "专业", "入学年月"],
    chain: "PRINCIPAL, AUTHORITY",
    floor: "PRINCIPAL, AUTHORITY",
    items: "enrollments",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// Somebody who was approved and never came.
#[derive(Debug)]
pub struct NeverCame;

impl Kind for NeverCame {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        // A name or a number that is put right meanwhile changes nothing of what is asked.
        Box::pin(sheet::entered(tx, items))
    }

    /// The place stays as it is until it is void.
    fn moved<'t>(&'t self, _: &'t Context, _: &'t mut Tx, _: &'t Dossier, _: &'t [Uuid], _: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async { Ok(()) })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let reason = inbox::reason(tx, dossier.dossier).await?;
            let mut refused = Vec::new();
            for item in items {
                // What held when it was asked for may hold no more: who took leave meanwhile was there.
                match check(ctx, tx, &dossier.school, *item).await {
                    Ok(next) => places::void(ctx, tx, *item, next, &reason).await?,
                    Err(Error::Refused(refusal)) => refused.push(Refused { item: *item, reason: refusal.reason.as_str_name() }),
                    Err(error) => return Err(error),
                }
            }
            Ok(refused)
        })
    }
}

/// The department records, on the school's written reason, that somebody who was approved never came: the place is free, and no day of it
/// counts. The principal takes note.
pub async fn order(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid, reason: &str) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, school, Permission::Approve).await?;
    // What the school asked for is decided by this.
    xuezhu_review::overtake(ctx, tx, &NeverCame, &school.code, &[enrollment], xuezhu_review::DONE_BY_DEPARTMENT).await?;
    check(ctx, tx, &school.code, enrollment).await?;
    let proposal = proposal(ctx, tx, enrollment, reason).await?;
    xuezhu_review::order(ctx, tx, &NeverCame, of(&school), proposal).await.map(drop)
}

/// The school asks for it.
pub async fn ask(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid, reason: &str) -> Result<told::Dossier, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    check(ctx, tx, &school.code, enrollment).await?;
    if !inbox::under_way(tx, ABOUT.code, &[enrollment]).await?.is_empty() {
        return Err(Refusal::wrong_state("该生的未报到注销申请正在办理中，不必重复申请").into());
    }
    let proposal = proposal(ctx, tx, enrollment, reason).await?;
    let dossier = xuezhu_review::submit(ctx, tx, &NeverCame, of(&school), proposal).await?;
    Ok(tell::dossier(&ABOUT, &dossier, &school.name, ctx.today()))
}

fn of(school: &SchoolRow) -> OfSchool<'_> {
    OfSchool { code: &school.code, authority: &school.authority }
}

async fn proposal(ctx: &Context, tx: &mut Tx, enrollment: Uuid, reason: &str) -> Result<Proposal, Error> {
    let content = sheet::entered(tx, &[enrollment]).await?.pop().map(|present| present.content_hash).unwrap_or_default();
    let items: Vec<Item> = (sheet::lines(tx, &[enrollment]).await?.into_iter())
        .map(|line| {
            let cells = vec![line.sex(), line.class_name.clone(), line.major(), line.entry_month.to_string()];
            Item { content_hash: content.clone(), ..line.item(cells) }
        })
        .collect();
    let name = items.first().map(|item| item.name.clone()).unwrap_or_default();
    Ok(Proposal { dossier: ctx.new_id(), subject: None, title: format!("{}：{name}", ABOUT.name), reason: reason.to_owned(), items })
}

/// Whether it can be said of somebody that they never came; locks the enrollment. Returns what it becomes.
async fn check(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<State, Error> {
    let row = places::lock(tx, school, enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let state = roll::state_of(row.state)?;
    let ahead = ahead(ctx, row.last_from);
    let next = after(state, Change::NeverCome)
        .ok_or_else(|| Refusal::wrong_state(format!("当前为“{}”，不能办理{}{ahead}", state.name(), Change::NeverCome.name())))?;
    // Who took leave or went to another class was there; what aid decides by is put right of one who never came as well.
    let periods = places::periods(tx, enrollment).await?;
    let entry = periods.first().ok_or(StoreError::Corrupt("periods of an approved enrollment"))?;
    if periods.iter().any(|period| (period.state, &period.class_name, &period.major) != (entry.state, &entry.class_name, &entry.major)) {
        let why = format!("该生已登记过休学、调班等异动，说明曾到校就读，不能按未报到注销{ahead}；如已离校，请办理退学");
        return Err(Refusal::wrong_state(why).into());
    }
    let last = school_year_end(entry.from_date);
    if ctx.today() > last {
        return Err(Refusal::wrong_state(format!("未报到注销须在入学的学年内（{last}前）办理；如已离校，请办理退学")).into());
    }
    Ok(next)
}
