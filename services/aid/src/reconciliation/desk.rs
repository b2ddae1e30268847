//! What people do with flags: the school explains, its department decides. Nobody decides on their own school.

use uuid::Uuid;
use xuezhu_service::{Context, Error, Permission, Place, Reason, Refusal};
use xuezhu_store::{Hex, Tx};

use super::{
    life::{Act, State, after},
    store::{self, Filter, FlagRow, NewStep},
};
use crate::mirror;

/// A flag's version: it rises with each step of its life, so also when its evidence changes.
pub fn etag(row: &FlagRow) -> String {
    row.steps.to_string()
}

/// The version of all flags of a cause that wait for the school.
pub fn cause_etag(open: i64, steps: i64) -> String {
    format!("{open}-{steps}")
}

fn same_version(seen: &str, present: &str) -> Result<(), Error> {
    if seen.is_empty() || seen == present {
        return Ok(());
    }
    Err(Refusal::new(Reason::Conflict, "疑点的依据或状态在您查看之后有变化，请重新查看后再办理").into())
}

/// Refuses who may not do something about a school. Who may not even read it learns nothing of what there is: ids of causes
/// can be worked out.
async fn may(ctx: &Context, tx: &mut Tx, school: &str, permission: Permission, what: &str) -> Result<(), Error> {
    if mirror::school_for(ctx, tx, school, Permission::ReadSchool).await.is_err() {
        return Err(Refusal::not_found(what).into());
    }
    mirror::school_for(ctx, tx, school, permission).await.map(drop)
}

/// Records an act on a flag, as it was `seen`.
pub async fn act(ctx: &Context, tx: &mut Tx, flag: Uuid, act: Act, text: &str, seen: &str) -> Result<FlagRow, Error> {
    if !store::lock_flag(tx, flag).await? {
        return Err(Refusal::not_found("该疑点").into());
    }
    let row = one(tx, flag).await?;
    let permission = if act == Act::Explain { Permission::Explain } else { Permission::Approve };
    may(ctx, tx, &row.school, permission, "该疑点").await?;
    same_version(seen, &etag(&row))?;
    record(ctx, tx, &row, act, text).await?;
    one(tx, flag).await
}

/// The school explains all open flags of a cause at once, maybe only those of a term; returns how many.
pub async fn explain_cause(ctx: &Context, tx: &mut Tx, cause: Uuid, term: &str, text: &str, seen: &str) -> Result<i32, Error> {
    store::lock_cause(tx, cause).await?;
    let filter = Filter { cause: Some(cause), state: Some(State::Open), term: term.to_owned(), ..Filter::default() };
    let rows = store::flags(tx, &filter, None, i64::from(i32::MAX)).await?;
    let Some(first) = rows.first() else { return Err(Refusal::not_found("待说明的疑点").into()) };
    may(ctx, tx, &first.school, Permission::Explain, "待说明的疑点").await?;
    let steps = rows.iter().map(|row| i64::from(row.steps)).sum();
    same_version(seen, &cause_etag(i64::try_from(rows.len()).unwrap_or(i64::MAX), steps))?;
    for row in &rows {
        record(ctx, tx, row, Act::Explain, text).await?;
    }
    Ok(i32::try_from(rows.len()).unwrap_or(i32::MAX))
}

async fn record(ctx: &Context, tx: &mut Tx, row: &FlagRow, act: Act, text: &str) -> Result<(), Error> {
    let next = after(row.state, act).ok_or_else(|| Refusal::new(Reason::WrongState, format!("该疑点当前为“{}”，不能进行此操作", row.state.name())))?;
    let step = NewStep { flag: Hex(row.flag), ordinal: row.steps, act: act.step().code(), detail: text.to_owned(), evidence: row.evidence.clone() };
    store::insert_steps(tx, &[step], ctx.now_us(), ctx.today(), &ctx.actor.account, &ctx.actor.display_name).await?;
    store::set_state(tx, row.flag, next, next.meaning().holds && row.rule.holds(), row.steps + 1).await?;
    Ok(())
}

/// A flag that is there.
pub async fn one(tx: &mut Tx, flag: Uuid) -> Result<FlagRow, Error> {
    let filter = Filter { flag: Some(flag), ..Filter::default() };
    store::flags(tx, &filter, None, 1).await?.pop().ok_or_else(|| Refusal::not_found("该疑点").into())
}

/// A flag that the actor may see.
pub async fn visible(ctx: &Context, tx: &mut Tx, flag: Uuid) -> Result<FlagRow, Error> {
    let row = one(tx, flag).await?;
    match mirror::school(tx, &row.school).await? {
        Some(school) => ctx.may(Permission::ReadSchool, &Place::School { code: &school.school, authority: &school.authority })?,
        None => return Err(Refusal::not_found("该疑点").into()),
    }
    Ok(row)
}
