//! What people do with flags: the school explains, its department decides. Nobody decides on their own school.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;
use xuezhu_judge::life::{Act, Shows, State, after};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal, paging::Turn};
use xuezhu_store::{Hex, Tx};

use super::store::{self, ActedFlag, Filter, FlagRow, NewStep};
use crate::{
    mirror,
    register::{self, About, Heard},
};

/// Flags that one call may decide.
pub const FLAGS_DECIDED: usize = 1_000;

/// States of the flags of a cause that the school explains at once.
pub const UNEXPLAINED: &[State] = &[State::Open];

/// Those of the flags that the department decides at once.
pub const UNDECIDED: &[State] = &[State::Open, State::Explained];

/// A flag's version: it rises with each step of its life, so also when its evidence changes.
pub fn etag(row: &FlagRow) -> String {
    row.steps.to_string()
}

/// The version of flags of a cause: which they are and how far each came, for of other flags as many steps may have been taken.
pub fn cause_etag(flags: impl Iterator<Item = (Uuid, i32)>) -> String {
    /// As many digits as tell versions of one cause apart.
    const DIGITS: usize = 16;
    let mut flags: Vec<(Uuid, i32)> = flags.collect();
    flags.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (flag, steps) in flags {
        hasher.update(flag.as_bytes()).update(&steps.to_be_bytes());
    }
    hasher.finalize().to_hex()[..DIGITS].to_owned()
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
    if store::lock_flags(tx, &[flag]).await?.is_empty() {
        return Err(Refusal::not_found("该疑点").into());
    }
    let row = one(tx, flag).await?;
    let permission = if act == Act::Explain { Permission::Explain } else { Permission::Approve };
    may(ctx, tx, &row.school, permission, "该疑点").await?;
    same_version(seen, &etag(&row))?;
    record(ctx, tx, std::slice::from_ref(&row), act, text).await?;
    one(tx, flag).await
}

/// The school explains all open flags of a cause at once, maybe only those of a term; returns how many.
pub async fn explain_cause(ctx: &Context, tx: &mut Tx, cause: Uuid, term: &str, text: &str, seen: &str) -> Result<i32, Error> {
    store::lock_cause(tx, cause).await?;
    let rows = of_cause(tx, cause, term, UNEXPLAINED).await?;
    let Some(first) = rows.first() else { return Err(Refusal::not_found("待说明的疑点").into()) };
    may(ctx, tx, &first.school, Permission::Explain, "待说明的疑点").await?;
    same_version(seen, &version(&rows))?;
    record(ctx, tx, &rows, Act::Explain, text).await?;
    Ok(i32::try_from(rows.len()).unwrap_or(i32::MAX))
}

/// The department decides all flags of a cause at once that nobody decided yet, maybe only those of a term; returns how many.
pub async fn decide_cause(ctx: &Context, tx: &mut Tx, cause: Uuid, term: &str, (act, reason): (Act, &str), seen: &str) -> Result<i32, Error> {
    store::lock_cause(tx, cause).await?;
    let rows = of_cause(tx, cause, term, UNDECIDED).await?;
    let Some(first) = rows.first() else { return Err(Refusal::not_found("待核定的疑点").into()) };
    may(ctx, tx, &first.school, Permission::Approve, "待核定的疑点").await?;
    same_version(seen, &version(&rows))?;
    decide(ctx, tx, &rows, act, reason, "DecideCause").await
}

/// A flag as somebody looked at it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which.
    pub flag: Uuid,
    /// In which version; empty for any.
    pub etag: String,
}

/// The department decides these flags, all or none; returns how many.
pub async fn decide_flags(ctx: &Context, tx: &mut Tx, seen: &[Seen], act: Act, reason: &str) -> Result<i32, Error> {
    let flags: Vec<Uuid> = seen.iter().map(|seen| seen.flag).collect();
    let known = store::lock_flags(tx, &flags).await?;
    let rows: HashMap<Uuid, FlagRow> = store::these_flags(tx, &known).await?.into_iter().map(|row| (row.flag, row)).collect();
    let schools: BTreeSet<&str> = rows.values().map(|row| row.school.as_str()).collect();
    // Whoever may not read one of them learns not even which are there.
    for school in &schools {
        may(ctx, tx, school, Permission::Approve, "其中的疑点").await?;
    }
    let mut errors = FieldErrors::default();
    let (mut unknown, mut changed, mut unfit, mut decided) = (Vec::new(), Vec::new(), Vec::new(), Vec::with_capacity(seen.len()));
    for (at, seen) in seen.iter().enumerate() {
        let field = format!("flags[{at}]");
        match rows.get(&seen.flag) {
            None => {
                errors.add(&field, "找不到该疑点，或无权查看");
                unknown.push(at + 1);
            }
            Some(row) if !seen.etag.is_empty() && seen.etag != etag(row) => {
                errors.add(&field, format!("{}在您查看之后有变化", row.flag));
                changed.push(at + 1);
            }
            Some(row) if after(row.state, Shows::of(row.changed), act).is_none() => {
                errors.add(&field, format!("{}当前为“{}”，不能进行此操作", row.flag, row.state.name()));
                unfit.push(at + 1);
            }
            Some(row) => decided.push(row.clone()),
        }
    }
    if let Err(Error::Refused(mut refusal)) = errors.check() {
        let (reason, which, what) = match (unknown.is_empty(), changed.is_empty()) {
            (false, _) => (Reason::NotFound, unknown, "找不到，或无权查看"),
            (true, false) => (Reason::Conflict, changed, "在您查看之后有变化"),
            (true, true) => (Reason::WrongState, unfit, "当前状态不允许此操作"),
        };
        refusal.reason = reason;
        refusal.message = format!("第{}条{what}：一条也没有核定，请重新查看后再办理", places(&which));
        return Err(Error::Refused(refusal));
    }
    decide(ctx, tx, &decided, act, reason, "DecideFlags").await
}

/// Places in words: `2、5`, and how many more where there are many.
fn places(places: &[usize]) -> String {
    /// As many as are read.
    const TOLD: usize = 10;
    let told = places.iter().take(TOLD).map(usize::to_string).collect::<Vec<_>>().join("、");
    if places.len() > TOLD { format!("{told}等{}", places.len()) } else { told }
}

/// Decides flags, each with a step in its life and a line of its own in the audit.
async fn decide(ctx: &Context, tx: &mut Tx, rows: &[FlagRow], act: Act, reason: &str, method: &'static str) -> Result<i32, Error> {
    record(ctx, tx, rows, act, reason).await?;
    ctx.also(method, rows.iter().map(|row| row.flag.to_string()));
    Ok(i32::try_from(rows.len()).unwrap_or(i32::MAX))
}

/// Flags of a cause in these states.
async fn of_cause(tx: &mut Tx, cause: Uuid, term: &str, states: &[State]) -> Result<Vec<FlagRow>, Error> {
    let filter = Filter { cause: Some(cause), term: term.to_owned(), ..Filter::default() };
    let mut rows = store::flags(tx, &filter, &Turn::first(i64::from(i32::MAX))).await?;
    rows.retain(|row| states.contains(&row.state));
    Ok(rows)
}

fn version(rows: &[FlagRow]) -> String {
    cause_etag(rows.iter().map(|row| (row.flag, row.steps)))
}

/// Records an act on flags: the step of each, what it makes of them, what is remembered of it, and what the register hears.
async fn record(ctx: &Context, tx: &mut Tx, rows: &[FlagRow], act: Act, text: &str) -> Result<(), Error> {
    let (mut steps, mut acted) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let next = after(row.state, Shows::of(row.changed), act)
            .ok_or_else(|| Refusal::new(Reason::WrongState, format!("该疑点当前为“{}”，不能进行此操作", row.state.name())))?;
        steps.push(NewStep { flag: Hex(row.flag), ordinal: row.steps, act: act.step().code(), detail: text.to_owned(), evidence: row.evidence.clone() });
        acted.push(ActedFlag { flag: Hex(row.flag), state: next.code(), holds: next.meaning().holds && row.rule.holds(), steps: row.steps + 1 });
    }
    store::insert_steps(tx, &steps, ctx.now_us(), ctx.today(), &ctx.actor.account, &ctx.actor.display_name).await?;
    store::set_states(tx, &acted).await?;
    let flags: Vec<Uuid> = rows.iter().map(|row| row.flag).collect();
    match act {
        Act::Explain => {}
        Act::Clear => store::remember(tx, &flags).await?,
        Act::Confirm => {
            store::forget(tx, &flags).await?;
            return register::confirm(ctx, tx, &rows.iter().map(about).collect::<Vec<_>>(), text).await;
        }
    }
    let heard: Vec<Heard> = rows.iter().filter(|row| row.registered).filter_map(|row| heard(row, act, text)).collect();
    register::hear(ctx, tx, &ctx.actor, &heard).await
}

/// What the register keeps of a flag.
fn about(row: &FlagRow) -> About {
    About {
        flag: row.flag,
        rule: row.rule,
        entry: row.entry,
        list: row.list,
        person: row.person,
        school: row.school.clone(),
        scheme: row.scheme.clone(),
        term: row.term.clone(),
        name: row.name.clone(),
        months: row.months.clone(),
        amount_fen: row.amount_fen,
        evidence: row.evidence.clone(),
    }
}

fn heard(row: &FlagRow, act: Act, text: &str) -> Option<Heard> {
    Some(Heard {
        case: row.flag,
        event: act.step().heard()?,
        text: text.to_owned(),
        months: row.months.clone(),
        amount_fen: row.amount_fen,
        evidence: row.evidence.clone(),
    })
}

/// A flag that is there.
pub async fn one(tx: &mut Tx, flag: Uuid) -> Result<FlagRow, Error> {
    let filter = Filter { flag: Some(flag), ..Filter::default() };
    store::flags(tx, &filter, &Turn::first(1)).await?.pop().ok_or_else(|| Refusal::not_found("该疑点").into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_causes_version_is_that_of_its_flags_and_of_no_others() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let of = |flags: &[(Uuid, i32)]| cause_etag(flags.iter().copied());
        let seen = of(&[(a, 1), (b, 2)]);
        assert_eq!(of(&[(b, 2), (a, 1)]), seen, "in whichever order");
        // As many flags with as many steps in all.
        for other in [&[(a, 1), (c, 2)][..], &[(a, 2), (b, 1)], &[(c, 1), (b, 2)], &[(a, 3)], &[(a, 1)], &[(a, 1), (b, 2), (c, 1)]] {
            assert_ne!(of(other), seen, "{other:?}");
        }
    }
}
