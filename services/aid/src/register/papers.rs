//! What may be added to a case: by the school's people and its department, while what was confirmed is not withdrawn.

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_judge::register::{Outcome, State};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::Tx;

use super::store::{self, CaseRow};
use crate::mirror;

/// Refuses who may not know of a case.
pub async fn readable(ctx: &Context, tx: &mut Tx, case: Uuid) -> Result<(), Error> {
    super::visible(ctx, tx, case).await.map(drop)
}

/// Refuses who may not see what is in its papers: they show whole numbers.
pub async fn may_open(ctx: &Context, tx: &mut Tx, case: Uuid) -> Result<(), Error> {
    let row = super::visible(ctx, tx, case).await?;
    mirror::school_for(ctx, tx, &row.school, Permission::RevealNumber).await.map(drop)
}

/// Refuses who may not add to it. Returns how many steps it has.
pub async fn may_add(ctx: &Context, tx: &mut Tx, case: Uuid) -> Result<i32, Error> {
    let row = super::visible(ctx, tx, case).await?;
    allowed(ctx, tx, &row).await?;
    Ok(row.steps)
}

/// The same, and locks it.
pub async fn enter(ctx: &Context, tx: &mut Tx, case: Uuid) -> Result<i32, Error> {
    store::lock(tx, &[case]).await?;
    may_add(ctx, tx, case).await
}

async fn allowed(ctx: &Context, tx: &mut Tx, row: &CaseRow) -> Result<(), Error> {
    // Whoever explains for the school, or decides for its department.
    if let Err(refused) = mirror::school_for(ctx, tx, &row.school, Permission::Explain).await
        && mirror::school_for(ctx, tx, &row.school, Permission::Approve).await.is_err()
    {
        return Err(refused);
    }
    if row.state == State::Withdrawn { Err(Refusal::wrong_state("该认定已撤销，不能再增减材料").into()) } else { Ok(()) }
}

/// Those of these cases that are over: since which day, and whether they stand. What is to come back keeps a case open.
pub async fn finished(tx: &mut Tx, cases: &[Uuid]) -> Result<HashMap<Uuid, (NaiveDate, bool)>, Error> {
    let fates = store::fates(tx, cases).await?;
    let over = fates.into_iter().filter_map(|fate| {
        let (day, stands) = match (fate.state, Outcome::from_code(fate.outcome)) {
            (State::Withdrawn, _) => (fate.last_day?, false),
            (_, None | Some(Outcome::ToRecover)) => return None,
            (_, Some(_)) => (fate.outcome_day?, true),
        };
        Some((fate.flag, (day, stands)))
    });
    Ok(over.collect())
}
