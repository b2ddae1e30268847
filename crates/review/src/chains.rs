//! Over which desks a kind's dossiers go: data by kind, school or region, and day. A dossier keeps the chain it began with.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::{Context, Error, FieldErrors};
use xuezhu_store::{StoreError, Tx};

use crate::{
    OfSchool,
    kind::About,
    store::{self, ChainRow},
    way::Chain,
};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;

/// The scopes that a school lies in, the narrowest first: itself, its authority, the city, the province, everybody.
fn scopes(school: OfSchool<'_>) -> Vec<String> {
    let kept = |digits: usize| format!("{:0<6}", school.authority.get(..digits).unwrap_or(school.authority));
    let mut scopes = vec![school.code.to_owned(), school.authority.to_owned(), kept(4), kept(2), String::new()];
    scopes.dedup();
    scopes
}

/// The chain of a kind for a school on a day: the narrowest that was set, else the kind's own.
pub async fn chain_of(tx: &mut Tx, about: &About, school: OfSchool<'_>, day: NaiveDate) -> Result<Chain, Error> {
    let scopes = scopes(school);
    let set = store::chains_for(tx, about.code, &scopes, day).await?;
    // Of one scope the last that was set counts; one that was set to nothing leaves it to the wider ones.
    let narrowest = scopes.iter().find_map(|scope| set.iter().rfind(|row| row.scope == *scope).filter(|row| !row.steps.is_empty()));
    let steps = narrowest.map_or(about.chain, |row| row.steps.as_str());
    steps.parse().map_err(|_| StoreError::Corrupt("chain").into())
}

/// A chain that is to be set.
#[derive(Debug, Clone)]
pub struct NewChain {
    /// Of which kind.
    pub kind: &'static About,
    /// A school's code, a region's, or nothing for everybody.
    pub scope: String,
    /// First day.
    pub from_day: NaiveDate,
    /// As it is written; empty where what holds above shall hold again.
    pub steps: String,
    /// Why.
    pub reason: String,
}

/// Sets a chain from a day on. Whoever calls has authorised it for the scope.
pub async fn set(ctx: &Context, tx: &mut Tx, chain: NewChain) -> Result<Uuid, Error> {
    let mut errors = FieldErrors::default();
    let row = row(ctx, chain, "", &mut errors);
    errors.check()?;
    let id = row.chain;
    store::insert_chains(ctx, tx, &[row]).await?;
    Ok(id)
}

/// Sets several, all or none; what else is known to be wrong is told with what is wrong with these, each by its place: `chains[2].steps`.
pub async fn set_all(ctx: &Context, tx: &mut Tx, chains: Vec<(usize, NewChain)>, mut errors: FieldErrors) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<ChainRow> = chains.into_iter().map(|(at, chain)| row(ctx, chain, &format!("chains[{at}]."), &mut errors)).collect();
    errors.check()?;
    store::insert_chains(ctx, tx, &rows).await?;
    Ok(rows.into_iter().map(|row| row.chain).collect())
}

/// A chain as it is stored; notes what is wrong with it.
fn row(ctx: &Context, chain: NewChain, place: &str, errors: &mut FieldErrors) -> ChainRow {
    let field = |name: &str| format!("{place}{name}");
    let steps = if chain.steps.trim().is_empty() { None } else { errors.parse::<Chain>(&field("steps"), &chain.steps) };
    if chain.from_day < ctx.today() {
        errors.add(&field("from_date"), "不能早于今天：已提交的业务单按提交时的环节办理");
    }
    let reason = errors.text(&field("reason"), &chain.reason, REASON_CHARACTERS);
    ChainRow {
        chain: ctx.new_id(),
        kind: chain.kind.code,
        scope: chain.scope,
        from_day: chain.from_day,
        steps: steps.map(|steps| steps.to_string()).unwrap_or_default(),
        reason: reason.unwrap_or_default(),
        recorded_by: String::new(),
        recorded_by_name: String::new(),
        recorded_at_us: 0,
    }
}

/// Every chain that was set, by kind and scope, the latest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<ChainRow>, Error> {
    Ok(store::chains(tx).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_lies_in_its_regions() {
        assert_eq!(scopes(OfSchool { code: "3643000001", authority: "430102" }), ["3643000001", "430102", "430100", "430000", ""]);
        assert_eq!(scopes(OfSchool { code: "3643000001", authority: "430000" }), ["3643000001", "430000", ""]);
    }
}
