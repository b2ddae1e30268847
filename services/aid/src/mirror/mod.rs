//! What enrollment says, by generation; schools to authorise by. Where the mirror stands is kept by [`xuezhu_bridge::keeping`]; who is judged
//! for what it is told is not its business.
//!
//! | module | what lives here |
//! | --- | --- |
//! | `rows` | records of a batch as rows, and the lanes in which they are written |
//! | `vouches` | what a school vouches for |
//! | `doubts` | what two generations say otherwise |
//! | [`told`] | what was told of a record, in words |

pub(crate) mod doubts;
pub(crate) mod rows;
mod store;
pub mod told;
mod vouches;

use std::collections::HashMap;

use xuezhu_bridge::keeping::{self, State};
use xuezhu_domain::region;
use xuezhu_judge::{case::SchoolSide, policy::School};
use xuezhu_service::{Context, Error, Permission, Place, Refusal};
use xuezhu_store::{StoreError, Tx};

// What other capabilities may ask.
pub use self::store::SchoolRow;
pub(crate) use self::store::{moved, school, school_names};

/// The number of the source that is followed: the configured enrollment service. A generation is of one source, for all sources draw
/// the numbers of their generations from one row of numbers: whoever reads a generation reads one source's words.
pub(crate) const SOURCE: i16 = 1;

/// Who owns a private school (民办), as the source tells it.
pub(crate) const PRIVATE: &str = "PRIVATE";

/// Where the mirror stands.
pub(crate) async fn state(tx: &mut Tx) -> Result<State, StoreError> {
    keeping::state(tx, SOURCE).await
}

/// The same, held against a switch to another generation until the transaction ends.
pub(crate) async fn held_state(tx: &mut Tx) -> Result<State, StoreError> {
    keeping::held_state(tx, SOURCE).await
}

/// The same, for who changes by what everybody is judged: whoever judges by what stood before is done, and whoever comes waits.
pub(crate) async fn locked_state(tx: &mut Tx) -> Result<State, StoreError> {
    keeping::locked_state(tx, SOURCE).await
}

/// Schools that the mirror knows, by their codes.
pub(crate) async fn schools<'c>(tx: &mut Tx, codes: impl Iterator<Item = &'c str>) -> Result<HashMap<String, SchoolRow>, StoreError> {
    let mut codes: Vec<String> = codes.map(str::to_owned).collect();
    codes.sort_unstable();
    codes.dedup();
    Ok(store::schools(tx, &codes).await?.into_iter().map(|row| (row.school.clone(), row)).collect())
}

/// A school that the mirror knows, if the actor may do something there.
pub async fn school_for(ctx: &Context, tx: &mut Tx, code: &str, permission: Permission) -> Result<SchoolRow, Error> {
    let Some(school) = store::school(tx, code).await? else {
        ctx.may(permission, &Place::School { code, authority: "" })?;
        return Err(Refusal::not_found("该学校（或学籍系统的学校信息尚未同步到资助系统）").into());
    };
    ctx.may(permission, &Place::School { code: &school.school, authority: &school.authority })?;
    Ok(school)
}

/// Whether every school lies under a department of a region, and there is any.
pub(crate) async fn covers_all(tx: &mut Tx, region: &str) -> Result<bool, StoreError> {
    store::covers_all(tx, region::prefix_or_all(region)).await
}

/// What tells schools apart, by their codes.
pub(crate) async fn sides(tx: &mut Tx, generation: i64, codes: &[String]) -> Result<HashMap<String, SchoolSide>, StoreError> {
    let rows = store::sides(tx, generation, codes).await?;
    Ok(rows.into_iter().map(|(school, region, kind)| (school, SchoolSide { region, is_private: is_private(&kind) })).collect())
}

/// Whether whoever owns a school is no part of the state.
pub(crate) fn is_private(kind: &str) -> bool {
    kind == PRIVATE
}

impl SchoolRow {
    /// As policies tell schools apart.
    pub(crate) fn told_apart(&self) -> School<'_> {
        School { code: &self.school, region: &self.region, is_private: is_private(&self.kind) }
    }
}

/// Drops what the source said in its other generations; what other sources say stays.
pub(crate) async fn drop_others(tx: &mut Tx, generation: i64) -> Result<(), StoreError> {
    rows::drop_others(tx, generation).await?;
    vouches::drop_others(tx, generation).await
}
